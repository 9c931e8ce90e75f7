"""Everything a default installation brings is permissively licensed and named in NOTICE."""

import re
from importlib import metadata
from pathlib import Path

import pytest

requirements = pytest.importorskip("packaging.requirements")

NOTICE = Path(__file__).resolve().parents[1] / "NOTICE"
PERMITTED = re.compile(r"MIT|BSD|Apache|ISC|MPL|LGPL|PSF|Python Software Foundation", re.IGNORECASE)
FORBIDDEN = re.compile(r"(?<!L)(?<!Lesser )GPL|Affero|non-?commercial|CC-BY-NC", re.IGNORECASE)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_by_default() -> dict[str, metadata.Distribution]:
    """Every package that installing ours without extras brings along on this platform."""
    found: dict[str, metadata.Distribution] = {}
    waiting = ["vitruvian"]
    while waiting:
        name = normal(waiting.pop())
        if name in found:
            continue
        found[name] = metadata.distribution(name)
        for text in found[name].requires or []:
            requirement = requirements.Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    del found["vitruvian"]
    return found


def licence(distribution: metadata.Distribution) -> str:
    """What a package says of its licence: expression and classifiers, else the free text."""
    fields = distribution.metadata
    classifiers = [c for c in fields.get_all("Classifier") or [] if c.startswith("License ::")]
    stated = [fields.get("License-Expression") or "", *classifiers]
    return " ".join(stated).strip() or (fields.get("License") or "")[:200]


def test_default_installation_is_permissive() -> None:
    packages = installed_by_default()
    assert {"numpy", "onnxruntime", "typer", "llvmlite"} <= set(packages)
    wrong = {
        name: stated
        for name, distribution in packages.items()
        if not PERMITTED.search(stated := licence(distribution)) or FORBIDDEN.search(stated)
    }
    assert not wrong


def test_notice_names_every_package() -> None:
    named = {normal(line.split()[0]) for line in NOTICE.read_text().splitlines() if line.strip()}
    missing = sorted(set(installed_by_default()) - named)
    assert not missing, f"NOTICE says nothing of {missing}"
    assert "torch" not in installed_by_default()
