"""The files of a result by their use: what the API calls them, and what they are called."""

from __future__ import annotations

# What a file is for, by its name at the top of a result and in a person's folder.
OF_ALL = {
    "photo": "photo.jpg",
    "thumbnail": "thumbnail.jpg",
    "scene": "scene.glb",
    "preview": "preview.png",
    "viewer": "viewer.html",
    "report": "report.json",
}
OF_PERSON = {
    "mesh_obj": "mesh.obj",
    "mesh_mtl": "mesh.mtl",
    "texture": "texture.png",
    "mesh_glb": "mesh.glb",
    "mesh_ply": "mesh.ply",
    "mesh_stl": "mesh.stl",
    "avatar": "avatar.glb",
    "body_glb": "body.glb",
    "body_mesh": "body.obj",
    "body": "body.json",
    "alpha": "alpha.png",
}
# Made when they are asked for.
ALL_ZIP = "all.zip"
PERSON_ZIP = "mesh.zip"
ZIPPED_MESH = ("mesh.obj", "mesh.mtl", "texture.png")
