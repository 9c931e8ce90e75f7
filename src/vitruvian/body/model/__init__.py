"""The parametric body itself: what other stages may know of this one."""
