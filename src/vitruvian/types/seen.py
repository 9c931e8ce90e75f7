"""What a picture shows of somebody: one record, from which every statement about it follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

Extent = Literal["whole", "three-quarter", "half", "bust", "head", "part"]
State = Literal["seen", "behind", "hidden", "cut"]
# How much of people pictures show, as portraits are called: down to the feet, the thighs or knees,
# the waist, the chest, the neck; ``part`` for what has no such name.
EXTENTS: tuple[str, ...] = get_args(Extent)
# Those that end below, on a cut they can stand on.
BASED: tuple[Extent, ...] = ("three-quarter", "half", "bust", "head")
# In view; behind the own body; not to be seen where it should be; beyond the frame.
STATES: tuple[str, ...] = get_args(State)
# From the head down, left before right.
BODY_PARTS = (
    "head", "chest", "hips", "left upper arm", "right upper arm", "left forearm", "right forearm",
    "left hand", "right hand", "left thigh", "right thigh", "left lower leg", "right lower leg",
    "left foot", "right foot",
)  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What a picture shows of one person.

    Attributes:
        states: of each of ``BODY_PARTS``.
        share: 0..1 of the body's surface that is of parts in view.
        extent: how far down the frame shows the person.
        left_out: what the frame cuts off is no part of the result, which ends there.
    """

    states: tuple[State, ...]
    share: float = 1.0
    extent: Extent = "whole"
    left_out: bool = False

    @property
    def complete(self) -> bool:
        """Whether the whole figure is in view."""
        return self.extent == "whole" and not self.cut and not self.hidden

    @property
    def cut(self) -> tuple[str, ...]:
        """Parts that the frame cuts off, wholly or a sixth of them at least."""
        return self.parts("cut")

    @property
    def hidden(self) -> tuple[str, ...]:
        """Parts inside the frame that are hidden by something, or not there."""
        return self.parts("hidden")

    @property
    def guessed(self) -> tuple[str, ...]:
        """Parts of the result that are a guess; what the own body hides is one, too."""
        return self.parts("behind", "hidden") if self.left_out else self.unseen

    @property
    def unseen(self) -> tuple[str, ...]:
        """Parts that are not in view, whatever the reason."""
        return self.parts("behind", "hidden", "cut")

    def parts(self, *states: str) -> tuple[str, ...]:
        """The parts in these states."""
        pairs = zip(BODY_PARTS, self.states, strict=True)
        return tuple(part for part, state in pairs if state in states)

    def ending_at_the_frame(self) -> Seen:
        """The same for a result that leaves out what the frame cuts off."""
        return replace(self, left_out=True)


_IN_VIEW: tuple[State, ...] = ("seen",)
WHOLE = Seen(_IN_VIEW * len(BODY_PARTS))


def together(views: Sequence[Seen]) -> Seen:
    """What several pictures of one person at one time show between them; at least one."""
    states: list[State] = []
    for each in zip(*(view.states for view in views), strict=True):
        states.append(min(each, key=STATES.index))
    widest = min(views, key=lambda view: EXTENTS.index(view.extent))
    return Seen(tuple(states), max(view.share for view in views), widest.extent)
