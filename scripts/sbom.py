"""Write the bill of materials of this installation: CycloneDX 1.6, JSON.

    python scripts/sbom.py [--extra server ...] [-o sbom.json]

Lists the packages that the installation brings, with versions, licences and what needs what, and
the shipped networks with their checksums. Extras have to be installed to be listed.
"""

from __future__ import annotations

import argparse
import datetime
import json
import uuid
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from vitruvian.networks import weights_manifest

NAME = "vitruvian"


def needs(name: str, extras: set[str]) -> list[Requirement]:
    """What a package needs here, extras included."""
    found = [Requirement(text) for text in metadata.requires(name) or []]
    chosen = extras or {""}
    return [
        one
        for one in found
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in chosen)
    ]


def closure(extras: set[str]) -> dict[str, list[str]]:
    """Every package that comes along, with the names of what it needs."""
    found: dict[str, list[str]] = {}
    waiting = [(NAME, extras | {""})]
    while waiting:
        name, wanted = waiting.pop()
        if name in found:
            continue
        asked = needs(name, wanted)
        found[name] = sorted({canonicalize_name(one.name) for one in asked})
        waiting += [(canonicalize_name(one.name), set(one.extras) | {""}) for one in asked]
    return found


def reference(name: str) -> str:
    """A package's name in the document, its package URL."""
    return f"pkg:pypi/{name}@{metadata.version(name)}"


def package(name: str) -> dict[str, Any]:
    """The entry of a package."""
    fields = metadata.metadata(name)
    entry: dict[str, Any] = {
        "type": "application" if name == NAME else "library",
        "bom-ref": reference(name),
        "name": name,
        "version": metadata.version(name),
        "purl": reference(name),
    }
    expression = fields.get("License-Expression")
    stated = [one for one in fields.get_all("Classifier") or [] if one.startswith("License ::")]
    if expression:
        entry["licenses"] = [{"expression": expression}]
    elif stated:
        entry["licenses"] = [{"license": {"name": one.split(" :: ")[-1]}} for one in stated]
    elif fields.get("License"):
        entry["licenses"] = [{"license": {"name": fields["License"].splitlines()[0][:200]}}]
    return entry


def networks() -> list[dict[str, Any]]:
    """The entries of the shipped networks."""
    return [
        {
            "type": "machine-learning-model",
            "bom-ref": f"network:{one.name}",
            "name": one.name,
            "version": one.version,
            "description": one.description,
            "hashes": [{"alg": "SHA-256", "content": one.sha256}],
            "licenses": [{"license": {"id": one.licence}}],
        }
        for one in weights_manifest().values()
    ]


def document(extras: set[str]) -> dict[str, Any]:
    """The whole bill."""
    packages = closure(extras)
    shipped = networks()
    ours = [reference(name) for name in packages[NAME]] + [one["bom-ref"] for one in shipped]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "component": package(NAME),
        },
        "components": [package(name) for name in sorted(packages) if name != NAME] + shipped,
        "dependencies": [
            {
                "ref": reference(name),
                "dependsOn": sorted(set(ours))
                if name == NAME
                else [reference(one) for one in packages[name]],
            }
            for name in sorted(packages)
        ],
    }


def main() -> None:
    """Write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--extra", action="append", default=[], help="an installed extra")
    parser.add_argument("-o", "--output", type=Path, default=Path("sbom.json"))
    given = parser.parse_args()
    bill = document(set(given.extra))
    given.output.write_text(json.dumps(bill, indent=2) + "\n", encoding="utf-8")
    print(f"{given.output}: {len(bill['components'])} components")


if __name__ == "__main__":
    main()
