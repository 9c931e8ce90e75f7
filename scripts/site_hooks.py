"""What the site of the documentation has besides the pages: the reference, made of docstrings.

Links that lead out of ``docs/``, to the code or the README, become plain text there.
"""

from __future__ import annotations

import os
import re
from typing import Any

from mkdocs.structure.files import File

_LINK = re.compile(r"(!?)\[([^\]]+)\]\(([^)\s#]+)(#[^)]*)?\)")

REFERENCE = """# Reference

What a program calls, made of the docstrings. [Python](python.md) shows how it goes together.

::: vitruvian.pipeline.photo.reconstruct
::: vitruvian.video.run.reconstruct_video
::: vitruvian.pipeline.measuring.measure
::: vitruvian.image.photo.load_photo
::: vitruvian.options.Options
::: vitruvian.hints.Hint
::: vitruvian.types.scene
::: vitruvian.types.mesh.Mesh
::: vitruvian.types.body.Body
::: vitruvian.types.photo.Photo
::: vitruvian.types.camera.Camera
::: vitruvian.batch.drive
::: vitruvian.client.client.Client
::: vitruvian.client.results
::: vitruvian.errors
"""


def on_files(files: Any, config: Any) -> Any:
    """Add the reference."""
    files.append(File.generated(config, "reference.md", content=REFERENCE))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Keep the text of links that lead out of the folder."""
    here = os.path.dirname(page.file.src_uri)

    def inside(link: re.Match[str]) -> str:
        target = os.path.normpath(os.path.join(here, link[3]))
        return link[2] if target.startswith("..") and not link[1] else link[0]

    return _LINK.sub(inside, markdown)
