"""Broken files that are no pictures: keypoints, masks, calibrations, models, lists and archives.

What a file says is changed, and written anew as a file of its kind, more often than its bytes are:
else no reader would look on.
"""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.exchange.rle import encode_rle
from vitruvian.lab.evaluation.mutations import mutated

DOCUMENTS = ("keypoints", "masks", "calibration", "model", "hints", "list", "archive", "frames")
_WIDTH, _HEIGHT = 72, 96
_MOST_CHANGES = 4
# fmt: off
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, 0.5, -1e308, float("nan"), float("inf"), "",
    "0", "x" * 3000, "\x00", "\ud800", "../../x/passwd", "/x/passwd", "~nobody/x", "1e999", [],
    {}, [[]], [None] * 50, {"x": {"y": 1}}, [1, 2, 3],
)
_TEXTS = (
    b"", b"\x00", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b"9" * 10_000, b"NaN",
    b"~nobody/a", b"\xef\xbb\xbf", b"\"", b"a=" * 50_000, b"[" * 5_000 + b"]" * 5_000, b",,,,",
    b"\n#\n",
)
# fmt: on


def broken_document(kind: str, rng: np.random.Generator) -> bytes:
    """A broken file of one of ``DOCUMENTS``."""
    if kind in ("model", "archive"):
        data = (_model if kind == "model" else _archive)(rng)
    elif kind == "list":
        data = _list(rng)
    else:
        data = _written(_changed(_SOUND[kind](), rng), kind, rng)
    chance = rng.random()
    if chance < 0.15:
        data = mutated(data, rng)
    elif chance < 0.2:
        at, odd = int(rng.integers(len(data) + 1)), _TEXTS[int(rng.integers(len(_TEXTS)))]
        data = data[:at] + odd + data[at:] if rng.random() < 0.5 else odd
    return data


def read_document(kind: str, data: bytes) -> None:
    """Read a file as the product does; raises what it does."""
    with tempfile.TemporaryDirectory(prefix="vitruvian-") as folder:
        _READERS[kind](data, Path(folder))


def _keypoints() -> Any:
    rows = np.random.default_rng(0).uniform(5, 70, (25, 3))
    rows[:, 2] = 0.9
    flat: list[float] = rows.reshape(-1).tolist()
    entry = {"image_id": 1, "category_id": 1, "keypoints": flat[:51]}
    marks = [{"x": 0.5, "y": 0.5, "visibility": 0.9} for _ in range(33)]
    return {
        "people": [{"pose_keypoints_2d": flat}],
        "images": [{"id": 1, "file_name": "street.jpg"}],
        "annotations": [entry, dict(entry)],
        "landmarks": [marks],
    }


def _masks() -> Any:
    mask = np.zeros((_HEIGHT, _WIDTH), bool)
    mask[20:70, 10:40] = True
    runs = [10 * _HEIGHT + 20, *[50, 46] * 29, 50, (_WIDTH - 39) * _HEIGHT - 70]
    shapes: list[Any] = [
        {"size": [_HEIGHT, _WIDTH], "counts": runs},
        {"size": [_HEIGHT, _WIDTH], "counts": encode_rle(mask)},
        [[5, 5, 40, 5, 40, 80, 5, 80], [50.0, 2.0, 60.0, 2.0, 60.0, 9.0]],
    ]
    return {
        "images": [{"id": 1, "file_name": "street.jpg"}],
        "annotations": [
            {"image_id": 1, "category_id": 1, "iscrowd": 0, "segmentation": one} for one in shapes
        ],
    }


def _frames() -> Any:
    """Annotations of two frames with both."""
    points, masks = _keypoints(), _masks()
    entries = [points["annotations"][0] | one for one in masks["annotations"]]
    entries[1]["image_id"] = 2
    images = [{"id": number, "file_name": f"{number:05d}.jpg"} for number in (1, 2)]
    return {"images": images, "annotations": entries}


def _calibration() -> Any:
    camera = {
        "name": "cam_1",
        "size": [640.0, 480.0],
        "matrix": [[600.0, 0.0, 320.0], [0.0, 600.0, 240.0], [0.0, 0.0, 1.0]],
        "distortions": [0.1, -0.05, 0.0, 0.0],
        "rotation": [0.1, 0.2, 0.3],
        "translation": [0.0, 0.1, 3.0],
        "fisheye": False,
    }
    return {"cam_1": camera, "cam_2": dict(camera, name="cam_2"), "metadata": {"error": 0.1}}


def _hints() -> Any:
    limbs = {"left forearm": "towards"}
    person = {"height_cm": 165, "sex": "woman", "age": 30, "limbs": limbs}
    box = {"box": [10, 20, 30, 60], "not_a_person": True}
    return {"people": {"1": person, "largest": {"age": "child"}}, "boxes": [box, dict(box)]}


_SOUND: dict[str, Callable[[], Any]] = {
    "keypoints": _keypoints,
    "masks": _masks,
    "calibration": _calibration,
    "hints": _hints,
    "frames": _frames,
}


def _changed(content: Any, rng: np.random.Generator) -> Any:
    """The content with one to a few of its values, at any depth, otherwise."""
    if isinstance(content, dict) and len(content) > 2 and rng.random() < 0.5:
        # Layouts are told by what is there: one that comes first would hide the others.
        keep = rng.permutation(list(content))[: int(rng.integers(1, len(content) + 1))]
        content = {key: value for key, value in content.items() if key in keep}
    for _ in range(int(rng.integers(1, _MOST_CHANGES + 1))):
        places = list(_places(content))
        if not places:
            return content
        holder, key = places[int(rng.integers(len(places)))]
        change = int(rng.integers(5))
        if change == 0:
            del holder[key]
        elif change == 1 and isinstance(holder, list):
            holder[key:key] = [deepcopy(holder[key]) for _ in range(int(rng.integers(1, 40)))]
        elif change == 2:
            holder[key] = [holder[key]] if rng.random() < 0.5 else {"x": holder[key]}
        elif change == 3 and isinstance(holder, dict):
            holder[str(_VALUES[int(rng.integers(len(_VALUES)))])[:80]] = holder.pop(key)
        else:
            holder[key] = deepcopy(_VALUES[int(rng.integers(len(_VALUES)))])
    return content


def _places(content: Any) -> Any:
    """Every list or mapping in the content with each of its keys."""
    keys: Any = ()
    if isinstance(content, dict):
        keys = list(content)
    elif isinstance(content, list):
        keys = range(min(len(content), 60))
    for key in keys:
        yield content, key
        yield from _places(content[key])


def _written(content: Any, kind: str, rng: np.random.Generator) -> bytes:
    if kind == "calibration" and rng.random() < 0.6:
        return _toml(content).encode("utf-8", "surrogatepass")
    return json.dumps(content).encode()


def _toml(content: Any) -> str:
    """TOML of tables of plain values, as far as it can say them."""
    if not isinstance(content, dict):
        return f"value = {_toml_value(content)}\n"
    lines = []
    for name, table in content.items():
        if isinstance(table, dict):
            lines.append(f"[{json.dumps(name)}]")
            lines += [f"{json.dumps(k)} = {_toml_value(v)}" for k, v in table.items()]
        else:
            lines.insert(0, f"{json.dumps(name)} = {_toml_value(table)}")
    return "\n".join(lines) + "\n"


def _toml_value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml_value, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(k)} = {_toml_value(v)}' for k, v in value.items())}}}"
    if value is None:
        return '"none"'
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value)


def _model(rng: np.random.Generator) -> bytes:
    """Arrays named as in a model of SMPL, a tetrahedron of them, with one to a few otherwise."""
    corners = np.array([[0, 0.8, 0], [0.3, -0.8, 0], [-0.3, -0.8, 0.2], [0, -0.8, -0.3]])
    parents = np.concatenate([[2**32 - 1], np.arange(23)]).astype(np.uint32)
    arrays: dict[str, Any] = {
        "v_template": corners,
        "f": np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]], np.uint32),
        "shapedirs": np.zeros((4, 3, 10)),
        "posedirs": np.zeros((4, 3, 207)),
        "J_regressor": np.full((24, 4), 0.25),
        "weights": np.full((4, 24), 1 / 24),
        "kintree_table": np.stack([parents, np.arange(24, dtype=np.uint32)]),
    }
    for name in rng.permutation(list(arrays))[: int(rng.integers(0, _MOST_CHANGES))]:
        values, change = arrays[name], int(rng.integers(9))
        kinds = (np.int8, np.float16, np.complex64, "U3", bool, "M8[s]", object)
        if change == 0:
            del arrays[name]
        elif change == 1:
            arrays[name] = values[: int(rng.integers(0, len(values)))]
        elif change == 2:
            with np.errstate(all="ignore"):
                arrays[name] = values.astype(kinds[int(rng.integers(len(kinds)))])
        elif change == 3:
            arrays[name] = np.full_like(values, np.nan if values.dtype.kind == "f" else 77)
        elif change == 4:
            arrays[name] = values[..., None]
        elif change == 5:
            arrays[name] = np.array(7)
        elif change == 6:
            arrays[name] = values * (1e300 if values.dtype.kind == "f" else 1000)
        else:
            arrays[name] = values.T
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def _list(rng: np.random.Generator) -> bytes:
    rows: list[list[Any]] = [
        ["input", "height", "weight", "sex", "age"],
        ["a.jpg", "172", "70 kg", "woman", "30"],
        ["~nobody/b.jpg", "5'7\"", "150 lb", "man", "child"],
        ["s3://bucket/c.jpg", "1.72 m", "", "", ""],
    ]
    rows = _changed(rows, rng)
    if not isinstance(rows, list):
        rows = [[rows]]
    cells = [row if isinstance(row, list) else [row] for row in rows]
    text = "\n".join(",".join("" if one is None else str(one) for one in row) for row in cells)
    return text.encode("utf-8", "surrogatepass")


def _archive(rng: np.random.Generator) -> bytes:
    """A ZIP or TAR with a picture, names that lead elsewhere, links, and sizes that lie."""
    names = ("a.jpg", "../../b.jpg", "/x/c.jpg", "d/e.png", "f\\g.jpg", "~nobody/h.jpg", "i.mp4")
    out = io.BytesIO()
    if rng.random() < 0.5:
        how = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2)
        kind = how[int(rng.integers(4))]
        with zipfile.ZipFile(out, "w") as packed:
            for name in names:  # with the time that they have by default: the same for each number
                content = b"\xff\xd8\xff" + b"\x00" * 3000
                packed.writestr(zipfile.ZipInfo(name), content, kind)
    else:
        kinds = (tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE)
        with tarfile.open(fileobj=out, mode="w") as tar:
            for name in names:
                one = tarfile.TarInfo(name)
                one.type = kinds[int(rng.integers(4))]
                one.linkname, one.size = "/x/passwd", 3000 if one.isreg() else 0
                tar.addfile(one, io.BytesIO(b"\x00" * one.size))
    data = bytearray(out.getvalue())
    for _ in range(int(rng.integers(0, 12))):
        data[int(rng.integers(len(data)))] = int(rng.integers(256))
    return bytes(data)


def _read_keypoints(data: bytes, folder: Path) -> None:
    from vitruvian.exchange.picture import Picture
    from vitruvian.exchange.read_keypoints import read_keypoints

    read_keypoints(data, Picture("street", _WIDTH, _HEIGHT))


def _read_masks(data: bytes, folder: Path) -> None:
    from vitruvian.exchange.picture import Picture
    from vitruvian.exchange.read_masks import read_masks

    read_masks(data, Picture("street", _WIDTH, _HEIGHT))


def _read_frames(data: bytes, folder: Path) -> None:
    from vitruvian.exchange.given_frames import open_given_frames

    path = folder / "frames.json"
    path.write_bytes(data)
    frames = open_given_frames(path, path, width=_WIDTH, height=_HEIGHT)
    assert frames is not None
    for number in range(3):
        frames.of(number)


def _read_calibration(data: bytes, folder: Path) -> None:
    from vitruvian.video.calibration import read_calibration

    path = folder / ("cameras.json" if data.startswith(b"{") else "cameras.toml")
    path.write_bytes(data)
    for camera in read_calibration(path):
        if camera.lens.width:
            camera.lens.scaled(64, 48).straightened(np.zeros((48, 64, 3), np.uint8))


def _read_model(data: bytes, folder: Path) -> None:
    from vitruvian.exchange.smpl_file import read_smpl

    path = folder / "model.npz"
    path.write_bytes(data)
    read_smpl(path)


def _read_hints(data: bytes, folder: Path) -> None:
    from vitruvian.hints import read_hints_file

    path = folder / "hints.json"
    path.write_bytes(data)
    read_hints_file(path)


def _read_list(data: bytes, folder: Path) -> None:
    from vitruvian.batch.listing import list_tasks

    for name in ("list.csv", "list.txt"):
        (folder / name).write_bytes(data)
        for task in list_tasks([str(folder / name)], str(folder / "out")):
            assert task.sources


def _read_archive(data: bytes, folder: Path) -> None:
    from vitruvian.batch.listing import list_tasks
    from vitruvian.batch.places import read_place
    from vitruvian.errors import VitruvianError

    for name in ("archive.zip", "archive.tar"):
        (folder / name).write_bytes(data)
        for task in list_tasks([str(folder / name)], str(folder / "out")):
            if "refused" in task.known:
                continue
            try:
                read_place(task.sources[0], task.known.get("at"), 10_000)
            except VitruvianError:
                continue


_READERS: dict[str, Callable[[bytes, Path], None]] = {
    "keypoints": _read_keypoints,
    "masks": _read_masks,
    "calibration": _read_calibration,
    "model": _read_model,
    "hints": _read_hints,
    "list": _read_list,
    "archive": _read_archive,
    "frames": _read_frames,
}
