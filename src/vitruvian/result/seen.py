"""What is to be said of somebody whom the picture shows in part: one sentence per cause."""

from __future__ import annotations

from collections.abc import Sequence

from vitruvian.types.seen import Seen

_NAMES = {"three-quarter": "three-quarter figure", "half": "half figure", "bust": "bust"}
_ENDS = {
    "three-quarter": "above the feet", "half": "at the waist", "bust": "at the chest",
    "head": "at the neck",
}  # fmt: skip
_MOST_NAMED = 4  # parts, before a sentence is no help


def seen_warnings(seen: Seen) -> list[str]:
    """A sentence about what the frame cuts off, and one about what is hidden inside of it."""
    sentences = []
    if seen.extent == "part" and seen.cut:
        many = len(_joined(seen.cut)) > _MOST_NAMED
        what = "much of the person" if many else _the(seen.cut)
        be = "is" if many or not _plural(seen.cut) else "are"
        end = "left out" if seen.left_out else "a guess"
        sentences.append(f"The frame cuts off {what}, which {be} {end}.")
    elif seen.extent == "head":
        made = "this is a head" if seen.left_out else "the body is a guess"
        sentences.append(f"The picture shows a face and no body, so {made}.")
    elif seen.extent in _ENDS:
        where, name = _ENDS[seen.extent], _NAMES[seen.extent]
        what = f"this is a {name}" if seen.left_out else "what is below is a guess"
        sentences.append(f"The picture ends {where}, so {what}.")
    if seen.hidden:
        be = "are" if _plural(seen.hidden) else "is"
        sentences.append(
            f"{_the(seen.hidden).capitalize()} {be} not to be seen, so shape, pose and colours "
            "there are a guess."
        )
    return sentences


def _joined(parts: Sequence[str]) -> list[str]:
    """The parts with both sides of a pair as one: ``left hand, right hand`` is ``hands``, and of
    one side's, the side once: ``left lower leg, left foot`` is ``left lower leg, foot``."""
    out: list[str] = []
    last = ""
    for part in parts:
        side, _, name = part.partition(" ")
        if side not in ("left", "right"):
            out.append(part)
        elif f"left {name}" in parts and f"right {name}" in parts:
            both = "feet" if name == "foot" else f"{name}s"
            if both not in out:
                out.append(both)
        else:
            out.append(name if side == last else part)
            last = side
    return out


def _plural(parts: Sequence[str]) -> bool:
    names = _joined(parts)
    return len(names) > 1 or names[0] in ("hips", "feet") or names[0].endswith("s")


def _the(parts: Sequence[str]) -> str:
    *before, last = _joined(parts)
    return f"the {', '.join(before)} and {last}" if before else f"the {last}"
