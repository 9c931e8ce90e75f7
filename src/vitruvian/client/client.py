"""The client's methods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from vitruvian.client.results import RemoteMeasures, RemoteScene, RemoteVideo
from vitruvian.client.wire import Wire, file_bytes
from vitruvian.hints import Hint, Who, checked_hints, write_hints
from vitruvian.options import Accessories, BoneNames, Detail, Incomplete, Relief, Rest, RigKind


class Client:
    """Speaks to a server.

    Args:
        url: where it is, such as ``http://127.0.0.1:8000``.
        token: an API token of your account, made on its page.
        timeout: seconds without an answer after which a request fails.
    """

    def __init__(self, url: str, token: str, *, timeout: float = 60.0) -> None:
        self._wire = Wire(url, token, timeout)
        self.url = self._wire.url

    def reconstruct(
        self,
        image: str | Path | bytes,
        *,
        name: str | None = None,
        same_person: Sequence[str | Path | bytes] = (),
        height_cm: float | None = None,
        hints: Mapping[Who, Hint] | None = None,
        fov_deg: float | None = None,
        max_people: int | None = None,
        detail: Detail | None = None,
        relief: Relief | None = None,
        incomplete: Incomplete | None = None,
        accessories: Accessories | None = None,
        faces: int | None = None,
        texture: bool | None = None,
        albedo: bool | None = None,
        check: bool | None = None,
        formats: Sequence[str] | None = None,
        vertex_colors: bool | None = None,
        print_height_mm: float | None = None,
        poses: bool | None = None,
        rest: Rest | None = None,
        rig: RigKind | None = None,
        bone_names: BoneNames | None = None,
        clips: bool | None = None,
        keypoint_files: Sequence[str] | None = None,
        keypoints: str | Path | bytes | None = None,
        masks: str | Path | bytes | None = None,
        patience: float = 600.0,
    ) -> RemoteScene:
        """Reconstruct a picture on the server and wait for the result.

        Safe against lost connections: the picture is sent again under the same key, and the server
        works on it once. When the server is busy, waits as it asks.

        Args:
            image: a path, or the bytes of an image file.
            name: title; "Photo" by default.
            same_person: more pictures of the largest person, up to five, as in
                ``vitruvian.reconstruct``.
            height_cm, hints, fov_deg, max_people, detail, relief, incomplete, accessories, faces,
                texture, albedo, check: as in ``vitruvian.reconstruct``.
            formats, vertex_colors, print_height_mm, poses, rest, rig, bone_names, clips,
                keypoint_files: as in ``Scene.save``; every format by default.
            keypoints, masks: files, or their bytes, as in ``vitruvian.reconstruct``, of ``image``
                alone.
            patience: seconds after which to give up.

        Raises:
            ApiError: picture or options cannot be used, nobody is in the picture, or the token is
                wrong.
            InputError: the file cannot be read, or the server cannot be reached.
        """
        fields = {
            "name": name,
            "same_person": True if same_person else None,
            "height_cm": height_cm,
            "hints": None if hints is None else write_hints(checked_hints(hints) or {}),
            "fov_deg": fov_deg,
            "max_people": max_people,
            "detail": detail,
            "relief": relief,
            "incomplete": incomplete,
            "accessories": accessories,
            "faces": faces,
            "texture": texture,
            "albedo": albedo,
            "check": check,
            "formats": None if formats is None else ",".join(formats),
            "vertex_colors": vertex_colors,
            "print_height_mm": print_height_mm,
            "poses": poses,
            "rest": rest,
            "rig": rig,
            "bone_names": bone_names,
            "clips": clips,
            "keypoint_files": None if keypoint_files is None else ",".join(keypoint_files),
        }
        files = [("image", file_bytes(one)) for one in (image, *same_person)]
        given = {"keypoints": keypoints, "masks": masks}
        files += [(name, file_bytes(one)) for name, one in given.items() if one is not None]
        answer = self._wire.submit("/api/v1/reconstructions", files, fields, patience)
        return RemoteScene.of(answer, self._wire)

    def measure(
        self,
        front: str | Path | bytes | Sequence[str | Path | bytes],
        side: str | Path | bytes | Sequence[str | Path | bytes],
        *,
        height_cm: float,
        weight_kg: float | None = None,
        sex: str | None = None,
        age: float | None = None,
        clothes: str | None = None,
        name: str | None = None,
        keep: bool | None = None,
        patience: float = 600.0,
    ) -> RemoteMeasures:
        """Measure somebody on the server and wait for the result; sent again as ``reconstruct``
        does.

        Args:
            front, side: paths, or the bytes of image files: two photographs or bare silhouettes;
                of up to four captures lists of as many.
            height_cm, weight_kg, sex, age, clothes: as in ``vitruvian.measure``.
            name: title; "Measures" by default.
            keep: keep the result as long as other results; else it is deleted after an hour.
            patience: seconds after which to give up.

        Raises:
            ApiError: the pictures or what is told cannot be used, or the token is wrong.
            InputError: a file cannot be read, or the server cannot be reached.
        """
        fields = {
            "height_cm": height_cm,
            "weight_kg": weight_kg,
            "sex": sex,
            "age": age,
            "clothes": clothes,
            "name": name,
            "keep": keep,
        }
        views = {"front": front, "side": side}
        files = [
            (view, file_bytes(one))
            for view, given in views.items()
            for one in ([given] if isinstance(given, (str, Path, bytes)) else given)
        ]
        answer = self._wire.submit("/api/v1/measurements", files, fields, patience)
        return RemoteMeasures.of(answer, self._wire)

    def video(
        self,
        video: str | Path | bytes,
        *,
        name: str | None = None,
        start_s: float | None = None,
        end_s: float | None = None,
        every: int | None = None,
        height_cm: float | None = None,
        fov_deg: float | None = None,
        max_people: int | None = None,
        formats: Sequence[str] | None = None,
        patience: float = 3600.0,
    ) -> RemoteVideo:
        """Turn a clip into people in motion on the server and wait for the result, which takes
        minutes; sent again as ``reconstruct`` does.

        Args:
            video: a path, or the bytes of a video file.
            name: title; "Video" by default.
            start_s, end_s: the part to use, in seconds.
            every: use every how many frames; about 30 a second by default.
            height_cm, fov_deg, max_people: as in ``vitruvian.reconstruct_video``.
            formats: as there, but for meshes per frame.
            patience: seconds after which to give up.

        Raises:
            ApiError: clip or options cannot be used, nobody is in it, or the token is wrong.
            InputError: the file cannot be read, or the server cannot be reached.
        """
        fields = {
            "name": name,
            "start_s": start_s,
            "end_s": end_s,
            "every": every,
            "height_cm": height_cm,
            "fov_deg": fov_deg,
            "max_people": max_people,
            "formats": None if formats is None else ",".join(formats),
        }
        files = [("video", file_bytes(video))]
        answer = self._wire.submit("/api/v1/videos", files, fields, patience)
        return RemoteVideo.of(answer, self._wire)

    def get(self, reconstruction_id: str) -> RemoteScene:
        """A reconstruction by its id."""
        path = f"/api/v1/reconstructions/{quote(reconstruction_id, safe='')}"
        return RemoteScene.of(self.request("GET", path), self._wire)

    def get_measures(self, measurement_id: str) -> RemoteMeasures:
        """Somebody's measures by their id."""
        path = f"/api/v1/measurements/{quote(measurement_id, safe='')}"
        return RemoteMeasures.of(self.request("GET", path), self._wire)

    def get_video(self, video_id: str) -> RemoteVideo:
        """A video by its id."""
        path = f"/api/v1/videos/{quote(video_id, safe='')}"
        return RemoteVideo.of(self.request("GET", path), self._wire)

    def reconstructions(self) -> Iterator[Mapping[str, Any]]:
        """Summaries of the account's reconstructions, newest first."""
        cursor: str | None = None
        while True:
            query = urlencode({"limit": 100} | ({"cursor": cursor} if cursor else {}))
            page = self.request("GET", f"/api/v1/reconstructions?{query}")
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def download(self, address: str) -> bytes:
        """The content of a file, by its address on the server."""
        return self._wire.send("GET", address, None, {})[1]

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """One request with a JSON body; returns what the JSON of the answer holds.

        Raises:
            ApiError: the server refused it.
            InputError: the server cannot be reached.
        """
        return self._wire.request(method, path, body)
