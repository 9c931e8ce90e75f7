"""A page with Gradio in a few lines: a picture in, everyone in 3D out.

Install the packages vitruvian and gradio, and run ``python examples/gradio_app.py``.
"""

import tempfile
from pathlib import Path
from typing import Any

import vitruvian


def people(picture: str | None, height_cm: float | None) -> tuple[str, str, list[Any], list[str]]:
    """Scene to turn, preview, a row per person, and avatars to take away, of a picture's path."""
    if picture is None:
        raise vitruvian.VitruvianError("There is no picture yet: choose one.")
    folder = Path(tempfile.mkdtemp(prefix="vitruvian-"))
    report = vitruvian.reconstruct(picture, height_cm=height_cm or None).save(folder, ("glb",))
    rows, avatars = [], []
    for one in report["people"]:
        rows.append([one["id"], round(100 * one["height_m"]), " ".join(one["warnings"])])
        avatars.append(str(folder / one["files"]["avatar"]))
    return str(folder / "scene.glb"), str(folder / "preview.png"), rows, avatars


def page() -> Any:
    """The page; needs Gradio."""
    import gradio

    def answer(*given: Any) -> Any:
        try:
            return people(*given)
        except vitruvian.VitruvianError as error:  # one sentence, with the remedy
            raise gradio.Error(str(error)) from None

    picture = gradio.Image(type="filepath", label="Picture")
    height = gradio.Number(label="Height of the largest person, cm (optional)")
    shown = [gradio.Model3D(label="Everyone"), gradio.Image(label="Compared with the picture")]
    shown += [gradio.Dataframe(headers=["Person", "Height, cm", "Notes"])]
    shown += [gradio.Files(label="Avatars")]
    return gradio.Interface(answer, [picture, height], shown, title="Vitruvian", api_name="people")


if __name__ == "__main__":
    page().launch()
