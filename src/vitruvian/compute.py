"""How many processor threads the whole program computes on."""

from __future__ import annotations


def set_threads(count: int) -> None:
    """Run networks, OpenCV and compiled loops on ``count`` threads.

    Raises ``InputError`` when it is below 1.
    """
    import cv2
    from numba import get_num_threads, set_num_threads

    from vitruvian.networks import set_threads as set_network_threads

    set_network_threads(count)
    cv2.setNumThreads(count)
    set_num_threads(min(count, get_num_threads()))  # numba's own count is also its most
