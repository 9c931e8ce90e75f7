"""A node for ComfyUI: pictures in, everyone in 3D out.

Install the package vitruvian into ComfyUI's Python, copy this file to its folder ``custom_nodes``
and start it again: the node is called *Photograph to 3D people*. *Preview 3D* shows what it gives.
"""

from pathlib import Path
from typing import Any

import numpy as np

import vitruvian


class PhotographToPeople:
    """Reconstructs everyone in each picture and writes the files beside ComfyUI's other results."""

    CATEGORY = "3d"
    FUNCTION = "people"
    RETURN_TYPES = ("STRING", "STRING", "MASK")
    RETURN_NAMES = ("scene_glb", "avatar_glb", "mask")
    OUTPUT_IS_LIST = (True, True, False)
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """The sockets and widgets; a height of 0 stands for one that is not known."""
        return {
            "required": {
                "image": ("IMAGE",),
                "height_cm": ("FLOAT", {"default": 0.0, "min": 0.0, "max": 250.0, "step": 0.5}),
            }
        }

    def people(self, image: Any, height_cm: float) -> tuple[list[str], list[str], Any]:
        """Scenes and avatars, as paths from ComfyUI's output folder, and everyone's mask.

        Pictures are a tensor (B, H, W, 3) of sRGB from 0 to 1, masks (B, H, W).
        """
        import folder_paths  # of ComfyUI

        output = Path(folder_paths.get_output_directory())
        scenes, avatars, masks = [], [], []
        for picture in (255 * image.cpu().numpy()).round().astype(np.uint8):
            scene = vitruvian.reconstruct(picture, height_cm=height_cm or None)
            if not scene.people:
                raise ValueError(" ".join(scene.warnings))
            folder = _new_folder(output)
            report = scene.save(folder, ("glb",))
            place = Path(folder.name)
            scenes.append((place / "scene.glb").as_posix())
            avatars += [(place / one["files"]["avatar"]).as_posix() for one in report["people"]]
            masks.append(np.max([one.figure.alpha.full() for one in scene.people], axis=0))
        # Made by the tensor that was given: so torch is ComfyUI's affair alone.
        return scenes, avatars, image.new_tensor(np.stack(masks) / np.float32(255))


def _new_folder(output: Path) -> Path:
    number = 1
    while True:
        folder = output / f"vitruvian_{number:05d}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        else:
            return folder


NODE_CLASS_MAPPINGS = {"VitruvianPhotographToPeople": PhotographToPeople}
NODE_DISPLAY_NAME_MAPPINGS = {"VitruvianPhotographToPeople": "Photograph to 3D people"}
