"""Storage: whole files or none, nothing outside of it, on disk and behind fsspec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

from vitruvian.server.files.storage import FolderStorage, FsspecStorage, check_key


@pytest.fixture(params=["folder", "fsspec"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "folder":
        return FolderStorage(tmp_path / "files")
    pytest.importorskip("fsspec", reason="needs fsspec")
    return FsspecStorage(f"memory://{tmp_path.name}")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a//b",
        "a/",
        ".hidden",
        "a/.b",
        "a\\b",
        "a\0",
        "ä",
        "a b",
    ],
)
def test_keys_that_lead_elsewhere(key: str) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        check_key(key)


def test_files(storage: Any, tmp_path: Path) -> None:
    storage.put_bytes("uploads/a", b"1")
    storage.put_bytes("uploads/a", b"22")
    assert storage.read("uploads/a") == b"22"
    with storage.local("uploads/a") as path:
        assert path.read_bytes() == b"22"
    folder = tmp_path / "made"
    (folder / "person-1").mkdir(parents=True)
    (folder / "photo.jpg").write_bytes(b"p")
    (folder / "person-1" / "mesh.obj").write_bytes(b"m")
    storage.put_folder("results/r", folder)
    assert not folder.exists()
    assert storage.read("results/r/person-1/mesh.obj") == b"m"
    assert [key for key, _ in storage.children("results")] == ["results/r"]
    storage.delete("results/r")
    storage.delete("results/r")
    storage.delete("uploads/a")
    assert storage.children("results") == storage.children("uploads") == []
    with pytest.raises(FileNotFoundError):
        storage.read("results/r/photo.jpg")
    with pytest.raises(FileNotFoundError), storage.local("uploads/a"):
        pass


def test_a_folder_that_is_there_is_replaced(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path / "files")
    for content in (b"old", b"new"):
        folder = tmp_path / "made"
        folder.mkdir()
        (folder / f"{content.decode()}.txt").write_bytes(content)
        storage.put_folder("results/r", folder)
    assert [path.name for path in (tmp_path / "files/results/r").iterdir()] == ["new.txt"]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    storage = FolderStorage(tmp_path / "files")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        storage.put_bytes("uploads/a", b"x")
    assert list((tmp_path / "files/uploads").iterdir()) == []


def test_a_server_on_fsspec(tmp_path: Path) -> None:
    pytest.importorskip("fsspec", reason="needs fsspec")
    from server_tools import app_client, create, picture, register

    with app_client(tmp_path / "data", storage_url=f"memory://{tmp_path.name}") as client:
        register(client)
        made = create(client, picture()).json()
        photo = client.get(made["files"]["photo"])
        assert photo.status_code == 200
        assert photo.content.endswith(b"photo.jpg")
        assert client.get(made["files"]["all"]).content.startswith(b"PK")
        assert client.delete(f"/api/v1/reconstructions/{made['id']}").status_code == 204
        assert client.get(made["files"]["photo"]).status_code == 404
    assert not (tmp_path / "data" / "files").exists()
