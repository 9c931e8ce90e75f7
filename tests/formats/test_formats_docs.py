"""The page about the files must keep up with them."""

from __future__ import annotations

import re
from pathlib import Path

from vitruvian.body.model.model import body_model
from vitruvian.formats import FORMATS
from vitruvian.formats.bone_names import humanoid_name
from vitruvian.mesh_formats import AVATAR_FORMATS
from vitruvian.result.report import report_schema

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


def test_every_joint_is_in_the_table() -> None:
    section = PAGE[PAGE.index("## `avatar.glb`") : PAGE.index("### Opening it")]
    written: dict[str, str] = {}
    for left, right in re.findall(r"^\| (`.*`) \| (`.*`) \|$", section, re.MULTILINE):
        names = zip(re.findall(r"`(.*?)`", left), re.findall(r"`(.*?)`", right), strict=True)
        written.update(names)
    for joint in body_model().joint_names:
        if not joint.endswith(".R"):
            assert written[joint] == humanoid_name(joint)
    for joint, name in written.items():
        assert humanoid_name(joint) == name


def test_every_format_is_listed() -> None:
    for name in (*FORMATS, *AVATAR_FORMATS):
        assert f"| `.{name}`" in PAGE


def test_every_field_of_the_report_is_explained() -> None:
    schema = report_schema()["properties"]
    for field in schema:
        assert f"`{field}" in PAGE
    for field in schema["people"]["items"]["properties"]:
        assert f"people[].{field}" in PAGE
