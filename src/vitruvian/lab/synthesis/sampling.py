"""Draw random people: body, pose, clothes and accessories."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vitruvian.body.model import skeleton
from vitruvian.body.model.model import body_model
from vitruvian.lab.synthesis.accessories import HELD, Accessory, random_accessory
from vitruvian.lab.synthesis.anatomy import anatomy
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.garments import Garment, Look, random_garments
from vitruvian.lab.synthesis.parts import Pattern
from vitruvian.lab.synthesis.people import Recipe
from vitruvian.lab.synthesis.poses import (
    captured_poses,
    curled_hands,
    facing_forward,
    gripping,
    standing_poses,
)
from vitruvian.lab.synthesis.touching import touching
from vitruvian.lab.synthesis.wraps import random_wraps
from vitruvian.lab.synthesis.wrinkles import random_wrinkles

# Shares of the groups of ``BodyModel.shape_prior``; children are rare in pictures, not here.
GROUPS = {
    "men": 0.38, "women": 0.38, "teenagers": 0.08, "schoolchildren": 0.1, "small children": 0.06,
}  # fmt: skip
TOUCH = 0.4  # share of people with a hand on or before their own body, as in the street
HAIR_COLORS = (
    (0.012, 0.010, 0.009), (0.03, 0.018, 0.012), (0.08, 0.04, 0.02), (0.16, 0.08, 0.035),
    (0.36, 0.24, 0.11), (0.30, 0.29, 0.28), (0.6, 0.58, 0.55), (0.2, 0.05, 0.02),
)  # fmt: skip
HAIR_SHARES = (0.22, 0.22, 0.2, 0.12, 0.1, 0.06, 0.03, 0.05)
SHORT_HAIR = ("short01", "short02", "short03", "short04", "afro01")
EYES = ("brown", "brownlight", "blue", "green", "grey", "bluegreen")
LEG_JOINTS = (
    *skeleton.HIPS, *skeleton.THIGH_TWISTS, *skeleton.KNEES, *skeleton.SHANK_TWISTS,
    *skeleton.ANKLES,
)  # fmt: skip
TWO_PI = 2 * np.pi
WOVEN = 0.3  # share of dyed cloth that is knitted, printed or tweed; a third of that, of textures
CREASES = (8.0, 70.0)  # how much darker a fold is per metre of depth, from and to


def random_recipe(rng: np.random.Generator, library: AssetLibrary, *, touch: float = 0.0) -> Recipe:
    """A person of a population: body, pose, face, clothes.

    touch: share of people whose hands are on or before their own body. Nothing else about a person
    changes with it.
    """
    group = str(rng.choice(list(GROUPS), p=list(GROUPS.values())))
    body = body_model()
    prior = body.shape_prior(group)
    betas = prior.mean + np.linalg.solve(prior.whitening, rng.standard_normal(len(prior.mean)))
    female = group == "women" or (group != "men" and rng.random() < 0.5)
    skins = [k for k, p in enumerate(library.skins) if ("female" in p.name) == female]
    old = [k for k in skins if "old" in library.skins[k].name]
    if group in ("schoolchildren", "small children", "teenagers"):
        skins = [k for k in skins if "young" in library.skins[k].name] or skins
    elif old and rng.random() < 0.1:
        skins = old
    tone = rng.uniform(0.55, 1.12)
    outfit, garments, looks = _clothes(rng, library, female)
    hair = _hair(rng, library, female)
    hat = None
    if (hair is None and rng.random() < 0.4) or rng.random() < 0.04:
        hats = [n for n in library.names("clothes") if "fedora" in n]
        hat = str(rng.choice(hats)) if hats else None
        looks["hat"] = Look(tint=cloth_color(rng), recolor=True)
        hair = None if hat else hair
    strands = np.array(HAIR_COLORS[rng.choice(len(HAIR_COLORS), p=HAIR_SHARES)])
    pose = random_pose(rng)
    # Random numbers of their own: what is carried or wrapped around changes nothing else.
    own, more = rng.spawn(2)
    hands = np.random.default_rng(_seed_beside(own))
    if hands.random() < touch:
        pose = touching(hands, betas, pose)
    accessories = _accessories(own, female, body.stature(betas) / 1.7)
    wraps = random_wraps(more, garments, hat is not None, lambda: random_look(more, dyed=True))
    for item in accessories:
        if item.kind in HELD:
            pose = gripping(pose, item.side, 0.35 if item.kind in ("phone", "ball") else 1.25)
    return Recipe(
        betas=betas,
        pose=pose,
        expression=random_expression(rng),
        skin=int(rng.choice(skins)) if skins else 0,
        skin_tint=(tone, tone * rng.uniform(0.92, 1.03), tone * rng.uniform(0.86, 1.05)),
        outfit=outfit,
        shoes=str(rng.choice(library.shoes)) if rng.random() < 0.93 else None,
        hair=hair,
        hat=hat,
        looks=looks,
        hair_tint=tuple(strands * rng.uniform(0.7, 1.4)),
        eyes=str(rng.choice(EYES)),
        brows=f"eyebrow{rng.integers(1, 13):03d}",
        lashes=f"eyelashes0{rng.integers(1, 5)}",
        garments=garments,
        wraps=wraps,
        accessories=accessories,
    )


def _seed_beside(rng: np.random.Generator) -> np.ndarray:
    """A seed of what must not change what ``rng`` draws or spawns."""
    sequence = rng.bit_generator.seed_seq
    assert isinstance(sequence, np.random.SeedSequence)
    return sequence.generate_state(4)


def random_pose(rng: np.random.Generator) -> np.ndarray:
    """A captured pose (J, 3), perhaps mirrored, facing +z, with noise and hands."""
    poses, _ = captured_poses()
    # Half of the people stand or walk, as in photographs; the other half does anything.
    upright = standing_poses()
    stands = rng.random() < 0.5
    number = rng.choice(upright) if stands else rng.integers(len(poses))
    pose = facing_forward(np.array(poses[number], np.float64))
    body = body_model()
    if stands and rng.random() < 0.6:
        # Captured people are on the move, with knees bent; photographed ones mostly stand.
        legs = [body.joint_index[n] for n in LEG_JOINTS]
        pose[legs] *= 1 - rng.uniform(0.4, 1.0)
    if rng.random() < 0.5:
        pose = body.mirrored_pose(pose)
    moved = [body.joint_index[n] for n in (*skeleton.SPINE, skeleton.NECK, skeleton.HEAD)]
    limbs = [
        body.joint_index[n]
        for pair in (
            skeleton.CLAVICLES,
            skeleton.SHOULDERS,
            skeleton.ELBOWS,
            skeleton.WRISTS,
            skeleton.HIPS,
            skeleton.KNEES,
        )
        for n in pair
    ]
    pose[moved] += rng.normal(0, 0.05, (len(moved), 3))
    pose[limbs] += rng.normal(0, 0.05, (len(limbs), 3))
    left, right = np.clip(rng.normal(0.35, 0.35, 2), -0.1, 1.4)
    return curled_hands(pose, float(left), float(right), float(rng.normal(0.02, 0.05)))


def random_expression(rng: np.random.Generator) -> np.ndarray:
    """Strengths (E,) of the facial actions: at rest, smiling, talking, or anything."""
    names = anatomy().expression_names
    out = np.zeros(len(names))
    kind = rng.random()
    if kind < 0.3:
        return out
    if kind < 0.7:
        amount = rng.uniform(0.2, 0.9)
        for k, name in enumerate(names):
            if name.startswith("mouthSmile"):
                out[k] = amount * rng.uniform(0.85, 1.0)
            elif name.startswith(("cheekSquint", "mouthDimple")):
                out[k] = 0.4 * amount
    else:
        chosen = rng.choice(len(names), 5, replace=False)
        out[chosen] = rng.uniform(0, 0.5, 5)
    for k, name in enumerate(names):
        if name == "jawOpen":
            out[k] = min(out[k], 0.2)  # there are no teeth behind the lips
        elif name.startswith(("eyeBlink", "tongue", "eyeLook")):
            out[k] *= 0.5
    return out


def cloth_color(rng: np.random.Generator) -> tuple[float, float, float]:
    """A linear colour of cloth: many greys, blacks, whites and blues, few loud ones."""
    if rng.random() < 0.35:
        value = np.exp(rng.uniform(np.log(0.015), np.log(0.75)))
        color = value * (1 + rng.normal(0, 0.04, 3))
    else:
        hue = rng.random() if rng.random() < 0.6 else rng.normal(0.61, 0.04)
        saturation = rng.beta(2, 2)
        value = np.exp(rng.uniform(np.log(0.03), np.log(0.7)))
        wave = 0.5 + 0.5 * np.cos(TWO_PI * (hue - np.array([0, 1 / 3, 2 / 3])))
        color = value * (1 - saturation * (1 - wave))
    r, g, b = np.clip(color, 0.008, 0.85)
    return float(r), float(g), float(b)


def random_look(rng: np.random.Generator, *, dyed: bool) -> Look:
    """How a piece of cloth looks: dye or wash, pattern, sheen, folds."""
    pattern: Pattern | None = None
    if dyed and rng.random() < 0.35:
        direction = np.eye(3)[rng.choice([0, 1, 1, 1])] + 0.02 * rng.standard_normal(3)
        pattern = (
            int(rng.integers(1, 5)),
            float(np.exp(rng.uniform(np.log(5), np.log(60)))),
            float(rng.uniform(0.15, 0.6)),
            cloth_color(rng),
            tuple(direction / np.linalg.norm(direction)),
        )
    wash = rng.uniform(0.6, 1.25) * rng.uniform(0.85, 1.15, 3)
    strength = float(np.clip(np.exp(rng.normal(np.log(0.26), 0.5)), 0.03, 0.8))
    # Random numbers of their own, so that bodies and cuts stay as they were without these.
    weave = rng.spawn(1)[0]
    if weave.random() < (WOVEN if dyed else WOVEN / 3):
        pattern = _weave(weave)
    return Look(
        tint=cloth_color(rng) if dyed else tuple(wash),
        recolor=dyed,
        contrast=float(rng.uniform(0.25, 0.9)),
        gloss=float(rng.choice([0.01, 0.02, 0.05, 0.12], p=[0.4, 0.35, 0.18, 0.07])),
        wrinkles=random_wrinkles(rng, strength, int(rng.integers(1, 4))),
        pattern=pattern,
        crease=float(np.exp(weave.uniform(*np.log(CREASES)))),
    )


def _weave(rng: np.random.Generator) -> Pattern:
    """A pattern that a network could take for relief: a knit, a print of three colours, tweed."""
    kind = int(rng.integers(5, 8))
    low, high = {5: (25, 140), 6: (12, 70), 7: (4, 16)}[kind]
    direction = np.eye(3)[rng.choice([0, 0, 1])] + 0.02 * rng.standard_normal(3)
    return (
        kind,
        float(np.exp(rng.uniform(np.log(low), np.log(high)))),
        float(rng.uniform(0.2, 0.9)),
        cloth_color(rng),
        tuple(direction / np.linalg.norm(direction)),
    )


def _clothes(
    rng: np.random.Generator, library: AssetLibrary, female: bool
) -> tuple[str | None, tuple[Garment, ...], dict[str, Look]]:
    looks = {"shoes": random_look(rng, dyed=rng.random() < 0.4)}
    if rng.random() < 0.45:
        mine = [n for n in library.outfits if n.startswith("female") == female]
        if rng.random() < 0.12:
            mine = library.outfits
        look = random_look(rng, dyed=rng.random() < 0.55)
        inflate = float(rng.choice([0.0, 0.0, rng.uniform(0, 0.01)]))
        looks["outfit"] = replace(look, inflate=inflate)
        return str(rng.choice(mine or library.outfits)), (), looks
    return None, random_garments(rng, female, lambda: random_look(rng, dyed=True)), looks


def _accessories(rng: np.random.Generator, female: bool, scale: float) -> tuple[Accessory, ...]:
    """Nothing for most; else one accessory, or two that do not share a hand or a shoulder."""
    count = int(rng.choice([0, 1, 2], p=[0.68, 0.27, 0.05]))
    out: list[Accessory] = []
    for _ in range(count):
        item = random_accessory(rng, female, lambda: random_look(rng, dyed=True), scale)
        worn = [t for t in out if t.kind not in HELD]
        if item.kind in HELD:
            fits = all(t.side != item.side for t in out if t.kind in HELD)
        else:
            fits = not worn
        if fits:
            out.append(item)
    return tuple(out)


def _hair(rng: np.random.Generator, library: AssetLibrary, female: bool) -> str | None:
    names = library.names("hair")
    short = [n for n in names if n in SHORT_HAIR]
    if not female and rng.random() < 0.9:
        names = short
    elif female and rng.random() < 0.8:
        names = [n for n in names if n not in SHORT_HAIR]
    bald = 0.1 if not female else 0.01
    return None if not names or rng.random() < bald else str(rng.choice(names))
