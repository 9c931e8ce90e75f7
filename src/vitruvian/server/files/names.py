"""The files of a result by their use: what the API calls them, and what they are called."""

from __future__ import annotations

from vitruvian.mesh_formats import AVATAR_FORMATS, FORMATS
from vitruvian.options import KEYPOINT_FILES

MOST_PHOTOS = 6  # of one person
MOST_CAPTURES = 4  # of a front and a side each, to measure one person by

# Files that somebody brings along with a picture, by their fields in a form; what a result keeps of
# them lies under these names.
GIVEN = {"keypoints": "keypoints-given.json", "masks": "masks-given.json"}

# What a file is for, by its name at the top of a result and in a person's folder.
OF_ALL = {
    "photo": "photo.jpg",
    **{f"photo_{number}": f"photo-{number}.jpg" for number in range(2, MOST_PHOTOS + 1)},
    "thumbnail": "thumbnail.jpg",
    "scene": "scene.glb",
    "preview": "preview.png",
    "poses": "poses.png",
    **{
        f"keypoints_{layout}{kind}": f"keypoints-{layout}{kind.replace('_', '-')}.json"
        for layout in KEYPOINT_FILES
        for kind in ("", "_fitted")
    },
    **{f"{name}_given": file for name, file in GIVEN.items()},
    "viewer": "viewer.html",
    "report": "report.json",
}
OF_PERSON = {
    **{f"mesh_{name}": f"mesh.{name}" for name in FORMATS},
    "mesh_mtl": "mesh.mtl",
    "texture": "texture.png",
    "normal_map": "normals.png",
    "avatar": "avatar.glb",
    **{f"avatar_{name}": f"avatar.{name}" for name in AVATAR_FORMATS},
    "body_glb": "body.glb",
    "body_mesh": "body.obj",
    "body": "body.json",
    "alpha": "alpha.png",
}
OF_VIDEO = {
    "thumbnail": "thumbnail.jpg",
    "viewer": "viewer.html",
    "people": "people.glb",
    "preview": "preview.webm",
    "preview_mp4": "preview.mp4",
    "motion": "motion.npz",
    "motion_json": "motion.json",
    "check": "check.html",
    "report": "report.json",
}
OF_MOVING_PERSON = {
    "avatar": "avatar.glb",
    "avatar_usdz": "avatar.usdz",
    "avatar_fbx": "avatar.fbx",
    "motion_bvh": "motion.bvh",
    "joints": "joints.csv",
    "angles": "angles.csv",
    "body": "body.json",
}
OF_MEASURES = {
    "measures": "measures.json",
    "table": "measures.csv",
    "sheet": "measures.pdf",
    "tape": "tape.png",
    "tape_lines": "tape.json",
    "body_glb": "body.glb",
    "body_mesh": "body.obj",
    "silhouettes": "silhouettes.png",
}


def other_photos(count: int) -> list[str]:
    """What the pictures of one person after the first are called, ``count`` of them."""
    return [OF_ALL[f"photo_{number}"] for number in range(2, count + 2)]


# Made when they are asked for.
ALL_ZIP = "all.zip"
PERSON_ZIP = "mesh.zip"
ZIPPED_MESH = ("mesh.obj", "mesh.mtl", "texture.png", "normals.png")
