"""Write ``openapi.json``, from which the page's types are generated.

Run it after a change of the API: ``python web/describe_api.py``. Texts, examples and errors are
left out, so that the file changes only when what the page uses does; a test compares it with the
server.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("openapi.json")
_TEXTS = ("description", "summary", "examples", "example", "title", "tags", "security")
_NAMED = ("properties", "schemas", "paths")  # whose keys are names


def api_shapes() -> dict[str, Any]:
    """The server's OpenAPI description without its texts."""
    from vitruvian.server.app import create_app
    from vitruvian.server.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        document = create_app(Settings(data=folder, samples=False)).openapi()
    shapes = {key: _without_texts(document[key]) for key in ("paths", "components")}
    info = {"title": "Vitruvian", "version": "1"}
    return {"openapi": document["openapi"], "info": info, **shapes}


def _without_texts(value: Any, names: bool = False) -> Any:
    """``value`` without texts; ``names`` says that the keys are names and not OpenAPI's words."""
    if isinstance(value, list):
        return [_without_texts(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _successes(item) if key == "responses" else _without_texts(item, key in _NAMED)
        for key, item in value.items()
        if names or key not in _TEXTS
    }


def _successes(responses: dict[str, Any]) -> dict[str, Any]:
    """Answers in JSON that are no problem: problems have one shape, whatever their status."""
    return {
        status: {
            "description": "",
            "content": {
                kind: _without_texts(item)
                for kind, item in answer.get("content", {}).items()
                if kind == "application/json"
            },
        }
        for status, answer in responses.items()
        if status.startswith("2")
    }


if __name__ == "__main__":
    TARGET.write_text(json.dumps(api_shapes(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"wrote {TARGET}")
