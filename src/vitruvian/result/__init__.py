"""A scene's files, its checks and its report.

``save_scene`` writes everything; the others are its parts, for programs that want one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitruvian._lazy import lazy

if TYPE_CHECKING:
    from vitruvian.result.checks import check_person, check_warnings
    from vitruvian.result.files import save_scene
    from vitruvian.result.folder import complete_folder
    from vitruvian.result.report import person_report, report_schema, scene_report

_HOMES = {
    "check_person": "vitruvian.result.checks",
    "check_warnings": "vitruvian.result.checks",
    "complete_folder": "vitruvian.result.folder",
    "person_report": "vitruvian.result.report",
    "report_schema": "vitruvian.result.report",
    "save_scene": "vitruvian.result.files",
    "scene_report": "vitruvian.result.report",
}
__all__ = [
    "check_person",
    "check_warnings",
    "complete_folder",
    "person_report",
    "report_schema",
    "save_scene",
    "scene_report",
]

__getattr__ = lazy(__name__, _HOMES)
