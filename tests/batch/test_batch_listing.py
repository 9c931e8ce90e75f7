"""What users name becomes single inputs."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from vitruvian.batch.listing import list_tasks
from vitruvian.batch.orders import Task
from vitruvian.batch.places import local_file, read_place
from vitruvian.errors import InputError


def listed(*inputs: object, results: str = "/nowhere") -> list[Task]:
    return list(list_tasks([str(one) for one in inputs], results))


def names(tasks: list[Task]) -> list[str]:
    return [Path(task.sources[0]).name for task in tasks]


def test_folders_without_what_is_no_input_or_a_result(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "sub/c.mp4", ".hidden.jpg", "readme.txt", "out/aa/preview.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    found = listed(tmp_path, results=str(tmp_path / "out"))
    assert names(found) == ["a.png", "b.JPG", "c.mp4"]
    assert [task.kind for task in found] == ["photo", "photo", "video"]
    assert names(listed(tmp_path / "**" / "*.[pm]*", results=str(tmp_path / "out"))) == [
        "a.png", "c.mp4",
    ]  # fmt: skip
    (tmp_path / "a.png").write_text("longer")
    assert listed(tmp_path / "a.png")[0].stamp != found[0].stamp
    for wrong in ("missing.jpg", "*.webp"):
        with pytest.raises(InputError, match="check the"):
            listed(tmp_path / wrong)


def test_archives(tmp_path: Path) -> None:
    data = {"x/a.jpg": b"first", "b.png": b"second", "x/c.mov": b"clip", "notes.txt": b"no"}
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in data.items():
            archive.writestr(name, content)
    with tarfile.open(tmp_path / "all.tar", "w") as tar:
        for name, content in data.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    for kind in ("zip", "tar"):
        found = listed(tmp_path / f"all.{kind}")
        assert names(found) == ["a.jpg", "b.png", "c.mov"]
        read = [read_place(task.sources[0], task.known.get("at"), 100) for task in found]
        assert read == [b"first", b"second", b"clip"]
        assert read_place(found[1].sources[0], found[1].known.get("at"), 3) == b"seco"
        with local_file(found[2].sources[0], found[2].known.get("at"), tmp_path, 99) as path:
            assert (path.suffix, path.read_bytes()) == (".mov", b"clip")
        assert not path.exists()
    # What cannot be opened is an input that fails, beside the others.
    (tmp_path / "bad.zip").write_bytes(b"PK")
    (tmp_path / "whole.tar.gz").write_bytes(b"")
    found = listed(tmp_path / "bad.zip", tmp_path / "whole.tar.gz", tmp_path / "all.zip")
    assert [task.known["refused"][0] for task in found[:2]] == ["unreadable-file"] * 2
    assert len(found) == 5


def test_lists_and_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "# mine\na.jpg\n\n  /far/b.mp4\ns3://bucket/c.jpg\n"
    (tmp_path / "some.txt").write_text(lines)
    found = listed(tmp_path / "some.txt")
    assert [task.sources[0] for task in found] == [
        str(tmp_path / "a.jpg"), "/far/b.mp4", "s3://bucket/c.jpg",
    ]  # fmt: skip
    monkeypatch.setattr("sys.stdin", io.StringIO("one.jpg\n"))
    assert listed("-")[0].sources == (str(Path.cwd() / "one.jpg"),)
    table = "\ufeffInput,front, side,height,weight,sex,age,clothes\n"
    table += "a.jpg,,,172,,,\n,f.png,s.png,5'8\",150lb,woman,40,Tight\nb.jpg,,,,,,child\n"
    table += "c.jpg,,,tall,,,\n,f.png,,170,,,\n"
    table += ",f.png,s.png,128,,,child\n,f.png,s.png,172,,,,loose\n,f.png,s.png,17.2,,\n"
    (tmp_path / "people.csv").write_text(table)
    found = listed(tmp_path / "people.csv")
    assert [task.kind for task in found[:3]] == ["photo", "pair", "photo"]
    assert found[0].known == {"height_cm": 172.0}
    assert found[1].sources == (str(tmp_path / "f.png"), str(tmp_path / "s.png"))
    assert found[1].known["height_cm"] == pytest.approx(172.72)
    assert found[1].known["weight_kg"] == pytest.approx(68.04, abs=0.01)
    assert found[2].known == {"age": "child"}
    assert found[1].known["clothes"] == "tight"
    for line, said in enumerate(
        (
            "no height",
            "front, side and height",
            "a number of years",
            "no clothes 'loose'",
            "17.2 cm",
        ),
        5,
    ):
        sentence = found[line - 2].known["refused"][1]
        assert f"line {line}:" in sentence
        assert said in sentence
    assert len(found) == 8
    (tmp_path / "odd.csv").write_text("picture\na.jpg\n")
    with pytest.raises(InputError, match="'picture'"):
        listed(tmp_path / "odd.csv")


def test_no_more_is_unpacked_than_is_of_use(tmp_path: Path) -> None:
    # Wherever its names lead, nothing is written beside the copy.
    folder = tmp_path / "inside"
    folder.mkdir()
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../bomb.mp4", bytes(5_000_000))
    with tarfile.open(tmp_path / "links.tar", "w") as tar:
        for name, kind in (("a.jpg", tarfile.SYMTYPE), ("b.jpg", tarfile.LNKTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            tar.addfile(entry)
    assert listed(tmp_path / "links.tar") == []
    (task,) = listed(tmp_path / "bomb.zip")
    assert len(read_place(task.sources[0], None, 1000)) == 1001
    with local_file(task.sources[0], None, folder, 1000) as path:
        assert path.parent == folder
        assert path.stat().st_size == 1001  # one more: whoever reads it says that it is too large
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["bomb.zip", "inside", "links.tar"]


@pytest.mark.parametrize("how", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_members(how: int, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", how) as archive:
        archive.writestr("a.jpg", bytes(range(256)) * 40)
    data = bytearray(path.read_bytes())
    data[40:60] = b"\xff" * 20
    path.write_bytes(data)
    with pytest.raises(InputError, match="damaged in its archive") as caught:
        read_place(f"{path}!/a.jpg", None, 20_000)
    assert caught.value.code == "damaged-picture"


def test_odd_lists(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("input\n" + "x" * 200_000)
    with pytest.raises(InputError, match="no table that can be read"):
        listed(path)
    path.write_text("x" * 100_000)
    with pytest.raises(InputError) as caught:
        listed(path)
    assert len(str(caught.value)) < 400
    path.write_text("input\n~nobody-of-that-name/a.jpg\nb\0.jpg\n")
    home, null = listed(path)
    assert home.sources == (str(tmp_path / "~nobody-of-that-name" / "a.jpg"),)
    assert null.stamp == ""
    path.write_bytes(b"\xff\xfeinput")
    with pytest.raises(InputError, match="give a text file in UTF-8"):
        listed(path)
    newer = bytearray(b"")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.jpg", "a")
    newer[:] = (tmp_path / "a.zip").read_bytes()
    newer[newer.index(b"PK\x01\x02") + 6] = 200  # the version that it takes to unpack it
    (tmp_path / "a.zip").write_bytes(newer)
    (refused,) = listed(tmp_path / "a.zip")
    assert refused.known["refused"][0] == "unreadable-file"


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_place(str(tmp_path / "gone.jpg"), None, 10)
    assert caught.value.code == "missing-file"
    with pytest.raises(InputError, match="is a folder"):
        read_place(str(tmp_path), None, 10)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.jpg", "a")
    with pytest.raises(InputError, match="not in its archive"):
        read_place(f"{tmp_path}/a.zip!/b.jpg", None, 10)
    with pytest.raises(InputError, match="no protocol"):
        listed("gopher://host/a.jpg")
