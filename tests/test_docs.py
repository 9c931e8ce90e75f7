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
    assert options or name == "warm-up"  # which has none
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


PAGES = sorted(str(p.relative_to(DOCS)) for p in DOCS.rglob("*.md"))
ABOVE = ["../README.md", "../CONTRIBUTING.md", "../examples/README.md", "../benchmarks/README.md"]


def links(page: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, *ABOVE])
def test_links_lead_somewhere(page: str) -> None:
    for link in links(page):
        target, _, anchor = link.partition("#")
        path = (DOCS / page).parent / target if target else DOCS / page
        assert path.exists(), f"docs/{page} links to {link}"
        if anchor:
            assert anchor in anchors(path), f"docs/{page} links to {link}"


@pytest.mark.parametrize("folder", ["", "experiments/"])
def test_the_index_lists_every_page(folder: str) -> None:
    listed = {link.partition("#")[0] for link in links(f"{folder}index.md")}
    pages = {path.name for path in (DOCS / folder).glob("*.md")} - {"index.md"}
    assert pages
    assert pages <= listed, f"docs/{folder}index.md misses {sorted(pages - listed)}"
