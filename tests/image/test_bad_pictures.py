"""What a user reads when a picture cannot be used: one sentence each, byte for byte."""

import builtins
import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vitruvian.errors import CODES, InputError, MissingExtraError, VitruvianError
from vitruvian.image import decode
from vitruvian.image.limits import MAX_BYTES
from vitruvian.image.photo import load_photo


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(width: int = 200, height: int = 150) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def animation(kind: str) -> bytes:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "green", "blue")]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def png_header(width: int, height: int) -> bytes:
    """A PNG that declares a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0"))


def jpeg_declaring(width: int, height: int) -> bytes:
    """A small JPEG whose frame header lies about its size."""
    data = bytearray(encoded(noise(64, 64), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def bmp_declaring(width: int, height: int) -> bytes:
    data = bytearray(encoded(noise(64, 64), "BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


NOT_A_PICTURE = (
    " is not a picture in a format that can be read; give a JPEG, PNG, WebP or HEIC file."
)
DAMAGED = " is damaged or cut short; export or download it again."

CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty.jpg": (lambda: b"", " is empty; export or download it again."),
    "cut.jpg": (lambda: encoded(noise(), "JPEG")[:9000], DAMAGED),
    "cut.png": (lambda: encoded(noise(), "PNG")[:9000], DAMAGED),
    "cut.webp": (lambda: encoded(noise(), "WEBP")[:9000], DAMAGED),
    "cut.tiff": (lambda: encoded(noise(), "TIFF")[:9000], DAMAGED),
    "cut.bmp": (lambda: encoded(noise(), "BMP")[:9000], DAMAGED),
    "start-only.jpg": (lambda: b"\xff\xd8\xff\xe0", DAMAGED),
    "start-only.png": (lambda: b"\x89PNG\r\n\x1a\n", DAMAGED),
    "notes.jpg": (lambda: b"Dear Anna,\n" * 50, NOT_A_PICTURE),
    "zeros.png": (lambda: bytes(5000), NOT_A_PICTURE),
    "page.jpg": (lambda: b"<!doctype html><title>404</title>", NOT_A_PICTURE),
    "drawing.eps": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", NOT_A_PICTURE),
    "clip.jpg": (
        lambda: b"\0\0\0\x20ftypisom\0\0\0\0" + bytes(100),
        " is a video or another media file; give a picture.",
    ),
    "dot.png": (
        lambda: encoded(Image.new("RGB", (1, 1)), "PNG"),
        " is 1 x 1 pixels; give a picture of at least 32 pixels on each side.",
    ),
    "line.png": (
        lambda: encoded(Image.new("L", (9000, 40)), "PNG"),
        " is 9000 x 40 pixels; give a picture of at least 32 pixels on each side.",
    ),
    "bomb.png": (
        lambda: png_header(20000, 20000),
        " declares 400 megapixels, over the limit of 100; save a smaller copy.",
    ),
    "bomb.jpg": (
        lambda: jpeg_declaring(20000, 20000),
        " declares 400 megapixels, over the limit of 100; save a smaller copy.",
    ),
    "bomb.bmp": (
        lambda: bmp_declaring(20000, 20000),
        " declares 400 megapixels, over the limit of 100; save a smaller copy.",
    ),
    "large.png": (
        lambda: png_header(11000, 10000),
        " declares 110 megapixels, over the limit of 100; save a smaller copy.",
    ),
    "lying.png": (lambda: png_header(3000, 3000), DAMAGED),
    "dance.gif": (
        lambda: animation("GIF"),
        " is an animation; save the frame you want as JPEG or PNG.",
    ),
    "dance.png": (
        lambda: animation("PNG"),
        " is an animation; save the frame you want as JPEG or PNG.",
    ),
    "dance.webp": (
        lambda: animation("WEBP"),
        " is an animation; save the frame you want as JPEG or PNG.",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_sentences(tmp_path: Path, name: str) -> None:
    make, sentence = CASES[name]
    path = tmp_path / name
    path.write_bytes(make())
    with pytest.raises(InputError) as caught:
        load_photo(path)
    assert str(caught.value) == f"{path}{sentence}"
    with pytest.raises(InputError) as caught:
        load_photo(make(), name=name)
    assert str(caught.value) == f"{name}{sentence}"


def test_missing_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_photo(tmp_path / "gone.jpg")
    assert str(caught.value) == f"{tmp_path}/gone.jpg does not exist; check the path."
    with pytest.raises(InputError) as caught:
        load_photo(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} is a folder; give the pictures in it, for example {tmp_path}/*.jpg."
    )


def test_name_too_long(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 5000)
    with pytest.raises(InputError, match=r"cannot be read \(file name too long\); check the path"):
        load_photo(path)


def test_file_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match=r"cannot be read \(not a directory\)"):
        load_photo(tmp_path / "a.jpg" / "b.jpg")


def test_forbidden_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "private.jpg"
    path.write_bytes(encoded(noise(), "JPEG"))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # a real chmod does not stop root
    with pytest.raises(InputError) as caught:
        load_photo(path)
    assert str(caught.value) == f"{path} may not be read; check its permissions."


def test_too_many_bytes_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "disk.jpg"
    with path.open("wb") as stream:
        stream.truncate(65 * 2**20)  # sparse: takes no room
    with pytest.raises(InputError) as caught:
        load_photo(path)
    assert str(caught.value) == f"{path} has 65 MB, over the limit of 64 MB; save a smaller copy."


def test_declared_size_is_refused_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(*_: object) -> None:
        raise AssertionError("the pixels were decoded")

    monkeypatch.setattr(decode, "_to_8_bit", decoded)
    monkeypatch.setattr(Image.Image, "load", decoded)
    with pytest.raises(InputError, match="110 megapixels"):
        load_photo(png_header(11000, 10000))


def test_sources_that_hold_no_picture() -> None:
    sentences = {
        "An array must be (H, W, 3) uint8 sRGB, but this one is (5, 4) float64; convert it "
        "first.": np.zeros((5, 4)),
        "An array must be (H, W, 3) uint8 sRGB, but this one is (64, 64, 4) uint8; convert it "
        "first.": np.zeros((64, 64, 4), np.uint8),
        "The picture is 8 x 8 pixels; give a picture of at least 32 pixels on each side.": (
            np.zeros((8, 8, 3), np.uint8)
        ),
        "A picture cannot be read from int; give a path, bytes, a Pillow image or an (H, W, 3) "
        "uint8 array.": 7,
        "https://example.com/a.jpg is a web address; download the picture and give its path.": (
            "https://example.com/a.jpg"
        ),
        "The path of the picture is empty or holds a null; check the path.": "",
    }
    for sentence, source in sentences.items():
        with pytest.raises(InputError) as caught:
            load_photo(source)  # type: ignore[arg-type]
        assert str(caught.value) == sentence


@pytest.mark.parametrize("fov", [0.0, -40.0, 180.0, float("nan"), float("inf")])
def test_impossible_field_of_view(fov: float) -> None:
    with pytest.raises(InputError) as caught:
        load_photo(np.zeros((64, 64, 3), np.uint8), fov_deg=fov)
    assert str(caught.value) == f"A field of view of {fov:g} degrees cannot be; give 1 to 170."


def test_heic_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without(name: str, *args: object, **kwargs: object) -> object:
        if name == "pillow_heif":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError) as caught:
        load_photo(b"\0\0\0\x18ftypheic" + bytes(50), name="phone.heic")
    assert str(caught.value) == (
        "phone.heic is a HEIC picture; run pip install 'vitruvian[heic]' to read it, or save it "
        "as JPEG."
    )


def test_damaged_heic() -> None:
    pytest.importorskip("pillow_heif", reason="needs the extra heic")
    with pytest.raises(InputError) as caught:
        load_photo(b"\0\0\0\x18ftypheic" + bytes(500), name="phone.heic")
    assert str(caught.value) == f"phone.heic{DAMAGED}"


SEEDS = {
    kind: encoded(noise(48, 40), kind) for kind in ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
}


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(SEEDS)),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=12),
    st.floats(0, 1),
)
def test_damage_of_any_kind_is_a_picture_or_a_sentence(
    kind: str, changes: list[tuple[int, int]], keep: float
) -> None:
    data = bytearray(SEEDS[kind])
    for position, value in changes:
        data[position % min(len(data), 400)] = value
    data = data[: max(1, int(len(data) * keep))]
    sentence = None
    try:
        photo = load_photo(bytes(data))
    except VitruvianError as error:
        sentence = str(error)
    if sentence is not None:
        assert sentence.endswith(".")
        assert "\n" not in sentence
    else:
        assert photo.pixels.dtype == np.uint8
        assert photo.pixels.ndim == 3


@pytest.mark.parametrize("kind", sorted(SEEDS))
def test_a_file_that_ends_within_its_header(kind: str) -> None:
    for length in range(64):
        with pytest.raises(VitruvianError) as caught:
            load_photo(SEEDS[kind][:length])
        assert str(caught.value).endswith(".")


@pytest.mark.parametrize("shape", [(0, 0, 3), (0, 40, 3), (40, 0, 3)])
def test_an_empty_array(shape: tuple[int, int, int]) -> None:
    with pytest.raises(InputError) as caught:
        load_photo(np.empty(shape, np.uint8))
    assert str(caught.value) == (
        f"The array has no pixels, its shape is {shape}; check how it was cut or read."
    )


def test_an_empty_pillow_image() -> None:
    with pytest.raises(InputError, match="is 0 x 0 pixels; give a picture of at least 32"):
        load_photo(Image.new("RGB", (0, 0)))


@pytest.mark.parametrize("read_before", [True, False])
@pytest.mark.parametrize("by_block", [True, False])
def test_a_closed_pillow_image(tmp_path: Path, read_before: bool, by_block: bool) -> None:
    path = tmp_path / "anna.png"
    Image.new("RGB", (64, 64), "teal").save(path)
    image = Image.open(path)
    if read_before:
        image.load()
    if by_block:
        with image:
            pass
        if read_before:  # Pillow keeps the pixels
            assert load_photo(image).pixels.shape == (64, 64, 3)
            return
    else:
        image.close()
    with pytest.raises(InputError) as caught:
        load_photo(image)
    assert str(caught.value) == (
        "anna.png was closed before it was read; give its path, or the image while it is open."
    )


@pytest.mark.skipif(os.name == "nt", reason="needs named pipes")
def test_a_pipe(tmp_path: Path) -> None:
    import threading

    buffer = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(buffer, "PNG")
    pipe = tmp_path / "camera"
    os.mkfifo(pipe)
    for data, size in ((buffer.getvalue(), (300, 200)), (b"", None)):
        writing = threading.Thread(target=pipe.write_bytes, args=(data,))
        writing.start()
        if size is not None:
            photo = load_photo(pipe)
            assert (photo.width, photo.height) == size
            assert photo.name == "camera"
        else:
            with pytest.raises(InputError, match="camera is empty"):
                load_photo(pipe)
        writing.join()


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs endless devices")
def test_an_endless_device() -> None:
    with pytest.raises(InputError, match="over the limit of 64 MB"):
        load_photo("/dev/zero")


def test_kinds_have_codes(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "notes.jpg").write_text("Dear Anna")
    (tmp_path / "dance.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(50))
    Image.new("RGB", (5, 5)).save(tmp_path / "dot.png")
    for source, code in (
        (tmp_path / "empty.jpg", "damaged-picture"),
        (tmp_path / "notes.jpg", "not-a-picture"),
        (tmp_path / "dance.mp4", "video"),
        (tmp_path / "dot.png", "too-small"),
        (tmp_path / "gone.jpg", "missing-file"),
        (tmp_path, "unreadable-file"),
        ("https://example.org/a.jpg", "unreadable-file"),
        (b"", "damaged-picture"),
        (bytes(MAX_BYTES + 1), "too-large"),
        (None, "not-a-picture"),
        (np.zeros((50, 50), np.uint8), "not-a-picture"),
    ):
        with pytest.raises(InputError) as caught:
            load_photo(source)  # type: ignore[arg-type]
        assert caught.value.code == code, source
        assert code in CODES
