"""How the program computes: compiled loops and threads."""

from vitruvian.compute.kernels import Kernel, kernel, kernel_part
from vitruvian.compute.parallel import SideBySide, Task
from vitruvian.compute.threads import set_threads, thread_count

__all__ = ["Kernel", "SideBySide", "Task", "kernel", "kernel_part", "set_threads", "thread_count"]
