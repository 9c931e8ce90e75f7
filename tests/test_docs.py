"""The documentation names every command and option there is, and links only to what exists."""

import re
from pathlib import Path

import pytest
import typer

from vitruvian.commands.cli import COMMANDS, make_app
from vitruvian.image.limits import MAX_BYTES, MAX_PIXELS, MAX_WORKING_SIDE, MIN_SIDE

DOCS = Path(__file__).resolve().parents[1] / "docs"


def section(name: str) -> str:
    """The part of the page about a command."""
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    parts = re.split(r"^## ", text, flags=re.MULTILINE)
    found = [part for part in parts if part.startswith(f"`vitruvian {name}")]
    assert len(found) == 1, f"docs/cli.md has {len(found)} sections on {name}"
    return found[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented(name: str) -> None:
    group = typer.main.get_command(make_app([name]))
    command = group.commands[name]  # type: ignore[attr-defined]
    documented = section(name)
    options = [
        option
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("-")
    ]
    assert options
    missing = [option for option in options if not re.search(rf"`{option}[` ]", documented)]
    assert not missing, f"docs/cli.md says nothing of {missing} of {name}"
    # And the other way round: nothing that is gone.
    for option in re.findall(r"^\| `(-[^` ]*)", documented, flags=re.MULTILINE):
        assert option in options, f"docs/cli.md describes {option}, which {name} does not have"


def test_limits_are_as_documented() -> None:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    for phrase in (
        f"{MAX_BYTES // 2**20} MB",
        f"{MAX_PIXELS // 10**6} megapixels",
        f"{MAX_WORKING_SIDE} pixels",
        f"{MIN_SIDE} pixels",
    ):
        assert phrase in text.replace("\n", " "), phrase


@pytest.mark.parametrize("page", sorted(p.name for p in DOCS.glob("*.md")))
def test_links_lead_somewhere(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in target:
            assert (DOCS / target).exists(), f"docs/{page} links to {target}"
