"""What synthetic people are like: statures, builds, poses and cameras, counted and drawn.

Statistics come from a written data set, or from fresh recipes, which takes milliseconds a person
as nothing is drawn.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.body.model.skeleton import ARMS, LEGS, NECK, ROOT
from vitruvian.errors import InputError
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.lab.synthesis.anatomy import anatomy
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.cameras import random_view
from vitruvian.lab.synthesis.parts import pose_anatomy
from vitruvian.lab.synthesis.sample import BLOCK_PEOPLE, BLOCK_SAMPLES
from vitruvian.lab.synthesis.sampling import GROUPS, random_recipe

# Mean and standard deviation of stature in metres. ANSUR II (Gordon et al., 2014), computed from
# the public files of 4,082 men and 1,986 women.
ANSUR_STATURE = {"men": (1.756, 0.069), "women": (1.628, 0.064)}
# Medians of stature in metres at the youngest and oldest age of each band (2, 6, 12 and 17 years),
# the mean of boys and girls: CDC growth charts (Kuczmarski et al., 2002).
CDC_STATURE = {
    "small children": (0.858, 1.154), "schoolchildren": (1.154, 1.504), "teenagers": (1.504, 1.692),
}  # fmt: skip
# Mean body mass index: ANSUR II for soldiers; 24.3 is the world's mean of adults (NCD-RisC, 2016).
ANSUR_BMI = {"men": 27.7, "women": 25.5}
WORLD_BMI = 24.3


@dataclass(frozen=True)
class Statistics:
    """What N samples are like, one row each; angles in degrees.

    Attributes:
        group: (N,) the most likely group of ``BodyModel.shape_prior``, given the betas.
        stature_m, mass_kg: (N,) standing height, and mass from the body's volume.
        knee, hip, elbow: (N, 2) flexion of left and right: 0 is straight, a squat about 120. Hips
            count from the direction of the pelvis, whichever way the thigh goes.
        arm: (N, 2) between the upper arm and the way down along the trunk.
        facing: (N,) -180..180, 0 towards the camera, 90 with the left side to the camera.
        lean: (N,) between the trunk and the vertical.
        fov, pitch: (N,) of the camera; pitch is positive where it looks down.
        distance_m: (N,) depth of the root joint.
        height_share: (N,) pixels that the stature would take at the root's depth, per picture side.
    """

    group: np.ndarray
    stature_m: np.ndarray
    mass_kg: np.ndarray
    knee: np.ndarray
    hip: np.ndarray
    elbow: np.ndarray
    arm: np.ndarray
    facing: np.ndarray
    lean: np.ndarray
    fov: np.ndarray
    pitch: np.ndarray
    distance_m: np.ndarray
    height_share: np.ndarray

    def __len__(self) -> int:
        return len(self.group)

    @property
    def body_mass_index(self) -> np.ndarray:
        """(N,) kilograms per square metre."""
        return self.mass_kg / self.stature_m**2


def shape_group(betas: np.ndarray) -> str:
    """The group of people that betas (K,) most likely come from, by the generator's shares."""
    best, name = -np.inf, ""
    for group, share in GROUPS.items():
        prior = body_model().shape_prior(group)
        off = prior.whitening @ (betas[: len(prior.mean)] - prior.mean)
        likelihood = np.log(share) + np.log(np.diag(prior.whitening)).sum() - off @ off / 2
        if likelihood > best:
            best, name = likelihood, group
    return name


def sample_row(
    betas: np.ndarray,
    pose: np.ndarray,
    camera_from_world: np.ndarray,
    focal_px: float,
    size: int,
    distance_m: float,
) -> dict[str, object]:
    """One row of ``Statistics`` from the labels of a sample; pose (J, 3) in the camera frame."""
    body = body_model()
    described = body.describe_shape(betas)
    posed = body.forward(betas, pose)
    rotation = camera_from_world[:3, :3]
    at = {name: posed.joints[index] for name, index in body.joint_index.items()}
    pelvis = posed.rotations[body.joint_index[ROOT]]
    trunk = at[NECK] - at[ROOT]
    knee, hip, elbow, arm = [], [], [], []
    for arm_joints, leg_joints in zip(ARMS, LEGS, strict=True):
        upper, lower = np.diff([at[name] for name in arm_joints], axis=0)
        thigh, shank = np.diff([at[name] for name in leg_joints], axis=0)
        knee.append(_angle(thigh, shank))
        hip.append(_angle(thigh, -pelvis[:, 1]))
        elbow.append(_angle(upper, lower))
        arm.append(_angle(upper, -trunk))
    forward = pelvis[:, 2] @ rotation  # of the pelvis, in the world
    eye = -rotation[2]  # towards the camera, in the world
    turn = np.arctan2(eye[0], eye[2]) - np.arctan2(forward[0], forward[2])
    return {
        "group": shape_group(np.asarray(betas, np.float64)),
        "stature_m": described["stature_m"],
        "mass_kg": described["mass_kg"],
        "knee": knee, "hip": hip, "elbow": elbow, "arm": arm,
        "facing": np.rad2deg((turn + np.pi) % (2 * np.pi) - np.pi),
        "lean": _angle(trunk, rotation[:, 1]),
        "fov": 2 * np.rad2deg(np.arctan(size / 2 / focal_px)),
        "pitch": -np.rad2deg(np.arcsin(np.clip(rotation[2, 1], -1, 1))),
        "distance_m": distance_m,
        "height_share": described["stature_m"] * focal_px / distance_m / size,
    }  # fmt: skip


def dataset_statistics(folder: Path) -> Statistics:
    """Statistics of a data set that ``vitruvian synth`` wrote; pictures are not unpacked."""
    paths = sorted(folder.glob("synth-*.tar"))
    if not paths:
        raise InputError(f"There are no shards in {folder}: write them with vitruvian synth.")
    rows = []
    for path in paths:
        with tarfile.open(path) as archive:
            for entry in archive:
                file = archive.extractfile(entry)
                if file is None:
                    continue
                with np.load(io.BytesIO(file.read())) as values:
                    if "pose" not in values.files:
                        continue
                    rows.append(
                        sample_row(
                            values["betas"], values["pose"].astype(np.float64),
                            values["camera_from_world"].astype(np.float64),
                            values["focal_px"].item(), values["parts"].shape[0],
                            values["root_depth"].item(),
                        )
                    )  # fmt: skip
    return _table(rows)


def fresh_statistics(seed: int, count: int, library: AssetLibrary) -> Statistics:
    """Statistics of the first ``count`` samples of a seed, without drawing them.

    People and random numbers are those of ``sample.block_samples``; cameras aim at the naked body,
    so that clothes and hair make them differ by a little.
    """
    return _table(_fresh_rows(seed, count, library))


def _fresh_rows(seed: int, count: int, library: AssetLibrary) -> Iterator[dict[str, object]]:
    size = 256
    mesh = anatomy()
    used = np.unique(mesh.faces)
    for first in range(0, count, BLOCK_SAMPLES):
        block = first // BLOCK_SAMPLES
        rng = np.random.default_rng([seed, block])
        recipes = [random_recipe(rng, library) for _ in range(BLOCK_PEOPLE)]
        bodies = [pose_anatomy(mesh, recipe.betas, recipe.pose) for recipe in recipes]
        for number in range(min(BLOCK_SAMPLES, count - first)):
            body = bodies[number % BLOCK_PEOPLE]
            lift = -float(body.vertices[used, 1].min())
            rng = np.random.default_rng([seed, block, 1 + number])
            view = random_view(rng, body.vertices[used] + [0, lift, 0], size)
            rotation, shift = view.camera_from_world[:3, :3], view.camera_from_world[:3, 3]
            pose = np.array(body.pose, np.float64)
            pose[0] = axis_angle_from_matrix(rotation @ matrix_from_axis_angle(pose[0]))
            root = rotation @ (body.joints[0] + [0, lift, 0]) + shift
            yield sample_row(
                body.betas, pose, view.camera_from_world, view.camera.focal_px, size, float(root[2])
            )


def _table(rows: Iterator[dict[str, object]] | list[dict[str, object]]) -> Statistics:
    rows = list(rows)
    return Statistics(**{name: np.array([row[name] for row in rows]) for name in rows[0]})


def _angle(a: np.ndarray, b: np.ndarray) -> float:
    cosine = a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12)
    return float(np.rad2deg(np.arccos(np.clip(cosine, -1, 1))))


# ------------------------------------------------------------------------------------ the drawing

PANEL = (330, 210)  # width and height in pixels
COLORS = {
    "men": (52, 101, 164), "women": (200, 70, 90), "teenagers": (110, 150, 60),
    "schoolchildren": (215, 150, 40), "small children": (130, 90, 170),
}  # fmt: skip
INK, PLAIN = (40, 40, 40), (90, 120, 150)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


class _Panel:
    """A titled histogram with an axis below; colours are RGB."""

    def __init__(self, title: str, low: float, high: float, step: float) -> None:
        width, height = PANEL
        self.image = np.full((height, width, 3), 255, np.uint8)
        self.low, self.high = low, high
        self.left, self.right, self.top, self.base = 20, width - 20, 46, height - 34
        self.text(title, (self.left, 22), 0.5)
        cv2.line(self.image, (self.left, self.base), (self.right, self.base), INK, 1, cv2.LINE_AA)
        for value in np.arange(low, high + step / 2, step):
            x = self.x(float(value))
            cv2.line(self.image, (x, self.base), (x, self.base + 4), INK, 1)
            label = f"{value:.4g}"
            wide = cv2.getTextSize(label, _FONT, 0.36, 1)[0][0]
            self.text(label, (x - wide // 2, self.base + 18), 0.36)

    def x(self, value: float) -> int:
        share = (np.clip(value, self.low, self.high) - self.low) / (self.high - self.low)
        return round(float(self.left + share * (self.right - self.left)))

    def text(
        self, text: str, at: tuple[int, int], scale: float, color: tuple[int, ...] = INK
    ) -> None:
        cv2.putText(self.image, text, at, _FONT, scale, color, 1, cv2.LINE_AA)

    def histograms(self, series: list[tuple[np.ndarray, tuple[int, ...]]], bins: int = 48) -> None:
        """Outlined histograms that share one scale; what is beyond the axis goes to its ends."""
        edges = np.linspace(self.low, self.high, bins + 1)
        counts = [np.histogram(np.clip(v, self.low, self.high - 1e-9), edges)[0] for v, _ in series]
        most = max(1, max(int(c.max()) for c in counts))
        filled = self.image.copy()
        lines = []
        for count, (_, color) in zip(counts, series, strict=True):
            y = self.base - np.round(count / most * (self.base - self.top)).astype(int)
            x = [self.x(float(e)) for e in edges]
            outline = [(x[0], self.base)]
            for k in range(bins):
                outline += [(x[k], int(y[k])), (x[k + 1], int(y[k]))]
            outline.append((x[-1], self.base))
            points = np.array(outline, np.int32)
            cv2.fillPoly(filled, [points], color)
            lines.append((points, color))
        self.image[:] = cv2.addWeighted(filled, 0.3, self.image, 0.7, 0)
        for points, color in lines:
            cv2.polylines(self.image, [points], False, color, 1, cv2.LINE_AA)

    def dots(self, across: np.ndarray, share: np.ndarray, colors: list[tuple[int, ...]]) -> None:
        """A dot for each value (N,) at a share (N,) of the panel's height."""
        for value, up, color in zip(across, share, colors, strict=True):
            y = self.base - round(float(np.clip(up, 0, 1)) * (self.base - self.top))
            cv2.circle(self.image, (self.x(float(value)), y), 1, color, -1, cv2.LINE_AA)

    def mark(self, value: float, color: tuple[int, ...], *, spread: float = 0.0) -> None:
        """A dashed line at a known value, with a bar of +- its spread."""
        for y in range(self.top - 10, self.base, 6):
            cv2.line(self.image, (self.x(value), y), (self.x(value), y + 2), color, 1)
        if spread:
            self.bracket(value - spread, value + spread, color)

    def bracket(self, low: float, high: float, color: tuple[int, ...]) -> None:
        """A bar above the histogram from one value to another."""
        y = self.top - 10
        cv2.line(self.image, (self.x(low), y), (self.x(high), y), color, 2)
        for end in (low, high):
            cv2.line(self.image, (self.x(end), y - 3), (self.x(end), y + 3), color, 1)


def statistics_plot(statistics: Statistics) -> np.ndarray:
    """Histograms of people, poses and cameras, (H, W, 3) uint8 RGB.

    Dashed lines and the bars above them are mean and standard deviation of ANSUR II (Gordon et
    al., 2014: men 1.756 +- 0.069 m, women 1.628 +- 0.064 m; body mass index 27.7 and 25.5) and,
    for the index, the world's mean of 24.3 in grey (NCD-RisC, 2016). Bars without a line span
    the medians of the CDC growth charts (Kuczmarski et al., 2002) over the ages of the band.
    """
    group = statistics.group
    names = [name for name in COLORS if (group == name).any()]

    def by_group(values: np.ndarray) -> list[tuple[np.ndarray, tuple[int, ...]]]:
        return [(values[group == name], COLORS[name]) for name in names]

    adults = [name for name in names if name in ANSUR_STATURE]
    panels = []
    stature = _Panel("stature of adults (m)", 1.4, 2.1, 0.1)
    stature.histograms([(statistics.stature_m[group == n], COLORS[n]) for n in adults])
    for name in adults:
        stature.mark(ANSUR_STATURE[name][0], COLORS[name], spread=ANSUR_STATURE[name][1])
    young = _Panel("stature of children (m)", 0.7, 2.0, 0.2)
    children = [n for n in names if n in CDC_STATURE]
    if children:
        young.histograms([(statistics.stature_m[group == n], COLORS[n]) for n in children])
    for name in children:
        young.bracket(*CDC_STATURE[name], COLORS[name])
    panels += [stature, young]
    mass = _Panel("mass (kg)", 0, 140, 20)
    mass.histograms(by_group(statistics.mass_kg))
    index = _Panel("body mass index (kg/m2)", 10, 45, 5)
    index.histograms(by_group(statistics.body_mass_index))
    for name in adults:
        index.mark(ANSUR_BMI[name], COLORS[name])
    index.mark(WORLD_BMI, (120, 120, 120))
    panels += [mass, index]
    for title, values, low, high, step in _plain(statistics):
        panel = _Panel(title, low, high, step)
        panel.histograms([(values, PLAIN)])
        panels.append(panel)
    built = _Panel("mass (kg, up to 140) over stature (m)", 0.7, 2.1, 0.2)
    built.dots(statistics.stature_m, statistics.mass_kg / 140, [COLORS[n] for n in group])
    panels.append(built)
    columns = 5
    rows = [np.hstack([p.image for p in panels[k : k + columns]])
            for k in range(0, len(panels), columns)]  # fmt: skip
    return np.vstack([_legend(statistics, names, PANEL[0] * columns), *rows])


def _plain(s: Statistics) -> list[tuple[str, np.ndarray, float, float, float]]:
    """Title, values and axis of the panels that are not split by group."""
    return [
        ("knee flexion (deg)", s.knee.ravel(), 0, 150, 30),
        ("hip flexion (deg)", s.hip.ravel(), 0, 150, 30),
        ("elbow flexion (deg)", s.elbow.ravel(), 0, 150, 30),
        ("upper arm off the trunk (deg)", s.arm.ravel(), 0, 180, 30),
        ("trunk off the vertical (deg)", s.lean, 0, 180, 30),
        ("facing (deg; 0 = the camera)", s.facing, -180, 180, 60),
        ("field of view (deg)", s.fov, 0, 80, 10),
        ("camera pitch (deg; looking down > 0)", s.pitch, -30, 60, 15),
        ("distance (m)", s.distance_m, 0, 12, 2),
        ("stature in pictures' sides", s.height_share, 0, 3, 0.5),
    ]


def _legend(statistics: Statistics, names: list[str], width: int) -> np.ndarray:
    out = np.full((40, width, 3), 255, np.uint8)
    cv2.putText(
        out, f"{len(statistics)} samples", (20, 26), _FONT, 0.55, INK, 1, cv2.LINE_AA
    )  # fmt: skip
    x = 190
    for name in names:
        share = f"{name} {100 * (statistics.group == name).mean():.0f} %"
        cv2.rectangle(out, (x, 15), (x + 14, 27), COLORS[name], -1)
        cv2.putText(out, share, (x + 20, 26), _FONT, 0.45, INK, 1, cv2.LINE_AA)
        x += 40 + cv2.getTextSize(share, _FONT, 0.45, 1)[0][0]
    note = "lines and bars: ANSUR II; grey line: the world's mean; bars of children: CDC medians"
    cv2.putText(out, note, (x, 26), _FONT, 0.4, (110, 110, 110), 1, cv2.LINE_AA)
    return out


def write_plot(statistics: Statistics, path: Path) -> None:
    """Write ``statistics_plot`` as a PNG of few colours."""
    from PIL import Image

    temporary = path.with_name(f".{path.name}")
    picture = Image.fromarray(statistics_plot(statistics)).quantize(64)
    picture.save(temporary, format="PNG", optimize=True)
    os.replace(temporary, path)


def plot_statistics(folder: Path, seed: int, count: int, library: AssetLibrary) -> Path:
    """Write ``statistics.png`` into a folder and return its path.

    It shows the data set in the folder or, where there is none, fresh people of the seed.
    """
    written = any(folder.glob("synth-*.tar"))
    statistics = dataset_statistics(folder) if written else fresh_statistics(seed, count, library)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_plot(statistics, folder / "statistics.png")
    except OSError as error:
        raise InputError(f"Cannot write into {folder}: choose another folder with -o.") from error
    return folder / "statistics.png"
