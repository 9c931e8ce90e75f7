"""Every kind of picture comes out as upright (H, W, 3) uint8 sRGB."""

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from vitruvian.image.decode import BACKDROP
from vitruvian.image.limits import MAX_WORKING_SIDE
from vitruvian.image.photo import load_photo

WIDTH, HEIGHT = 96, 64


def gradient() -> np.ndarray:
    """(64, 96, 3) uint8, smooth and different in each corner and channel."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    red, green = x * 255 / (WIDTH - 1), y * 255 / (HEIGHT - 1)
    return np.stack([red, green, 255 - red / 2 - green / 2], axis=-1).round().astype(np.uint8)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    assert a.shape == b.shape
    return float(np.abs(a.astype(float) - b).mean())


@pytest.mark.parametrize(
    ("suffix", "options", "tolerance"),
    [
        ("jpg", {"quality": 95}, 3.0),
        ("jpg", {"quality": 95, "progressive": True}, 3.0),
        ("png", {}, 0.0),
        ("webp", {"lossless": True}, 0.0),
        ("tiff", {}, 0.0),
        ("bmp", {}, 0.0),
        ("avif", {"quality": 95}, 4.0),
    ],
)
def test_formats(tmp_path: Path, suffix: str, options: dict, tolerance: float) -> None:
    path = tmp_path / f"street.{suffix}"
    Image.fromarray(gradient()).save(path, **options)
    photo = load_photo(path)
    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.flags.c_contiguous
    assert difference(photo.pixels, gradient()) <= tolerance
    assert (photo.name, photo.path, photo.alpha) == ("street", path, None)
    assert (photo.width, photo.height) == photo.original_size == (WIDTH, HEIGHT)
    assert (photo.camera.width, photo.camera.height) == (WIDTH, HEIGHT)
    assert photo.camera.source == "assumed"


def test_heic(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="needs the extra heic")
    path = tmp_path / "phone.heic"
    pillow_heif.from_pillow(Image.fromarray(gradient())).save(path, quality=95)
    assert difference(load_photo(path).pixels, gradient()) < 4


def test_suffix_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    Image.fromarray(gradient()).save(path, format="PNG")
    assert difference(load_photo(path).pixels, gradient()) == 0


def test_sources_agree(tmp_path: Path) -> None:
    path = tmp_path / "street.png"
    image = Image.fromarray(gradient())
    image.save(path)
    for source in (str(path), path, path.read_bytes(), image, gradient(), Image.open(path)):
        assert difference(load_photo(source).pixels, gradient()) == 0
    assert load_photo(gradient()).name == "photo"
    assert load_photo(gradient(), name="anna").name == "anna"
    assert load_photo(Image.open(path)).name == "street"


def test_photo_passes_through(tmp_path: Path) -> None:
    photo = load_photo(gradient(), name="anna")
    again = load_photo(photo, fov_deg=60)
    assert again.pixels is photo.pixels
    assert again.name == "anna"
    assert again.camera.source == "given"
    assert again.camera.fov_deg == pytest.approx(60)


def test_callers_data_stay_as_they_are() -> None:
    array = gradient()
    image = Image.fromarray(np.dstack([array, np.full((HEIGHT, WIDTH), 9, np.uint8)]))
    before = image.copy()
    load_photo(array).pixels[:] = 0
    load_photo(image)
    assert difference(array, gradient()) == 0
    assert list(image.tobytes()) == list(before.tobytes())


def test_dark_picture_of_16_bits_stays_dark(tmp_path: Path) -> None:
    for kind in (np.uint16, np.int32):
        Image.fromarray(np.full((HEIGHT, WIDTH), 200, kind)).save(tmp_path / "night.tiff")
        assert load_photo(tmp_path / "night.tiff").pixels.max() <= 1


def test_grey_of_8_16_and_32_bits(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 1, WIDTH), (HEIGHT, 1))
    expected = np.repeat((ramp * 255).round()[..., None], 3, axis=2)
    files = {
        "8.png": (ramp * 255).round().astype(np.uint8),
        "16.png": (ramp * 65535).round().astype(np.uint16),
        "16.tiff": (ramp * 65535).round().astype(np.uint16),
        "32.tiff": (ramp * 65535).round().astype(np.int32),
        "float.tiff": ramp.astype(np.float32),
        "float-255.tiff": (ramp * 255).astype(np.float32),
    }
    for name, array in files.items():
        Image.fromarray(array).save(tmp_path / name)
        assert difference(load_photo(tmp_path / name).pixels, expected) < 0.6, name


@pytest.mark.parametrize("suffix", ["png", "tiff"])
@pytest.mark.parametrize("channels", [3, 4])
def test_colour_of_16_bits(tmp_path: Path, suffix: str, channels: int) -> None:
    path = tmp_path / f"deep.{suffix}"
    deep = gradient()[..., ::-1].astype(np.uint16) * 257
    if channels == 4:
        deep = np.dstack([deep, np.full((HEIGHT, WIDTH), 65535, np.uint16)])
    assert cv2.imwrite(str(path), deep)
    photo = load_photo(path)
    assert difference(photo.pixels, gradient()) <= 1
    assert photo.alpha is None


def test_black_and_white(tmp_path: Path) -> None:
    bits = np.zeros((HEIGHT, WIDTH), bool)
    bits[:, 40:] = True
    Image.fromarray(bits).save(tmp_path / "fax.png")
    pixels = load_photo(tmp_path / "fax.png").pixels
    assert (pixels[:, :40] == 0).all()
    assert (pixels[:, 40:] == 255).all()


def test_palette_still_gif(tmp_path: Path) -> None:
    image = Image.fromarray(gradient()).quantize(64)
    image.save(tmp_path / "still.gif")
    assert (
        difference(load_photo(tmp_path / "still.gif").pixels, np.array(image.convert("RGB"))) == 0
    )


@pytest.mark.parametrize("suffix", ["png", "webp", "tiff"])
def test_alpha_is_kept_and_lies_over_grey(tmp_path: Path, suffix: str) -> None:
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:, 32:64], alpha[:, 64:] = 128, 255
    path = tmp_path / f"cut.{suffix}"
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    Image.fromarray(np.dstack([gradient(), alpha])).save(path, **options)
    photo = load_photo(path)
    assert photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha, alpha)
    weight = alpha[..., None] / 255.0
    expected = gradient() * weight + np.array(BACKDROP) * (1 - weight)
    np.testing.assert_allclose(photo.pixels, expected, atol=1)


def test_palette_and_grey_with_transparency(tmp_path: Path) -> None:
    palette = Image.fromarray(gradient()).quantize(8)
    palette.save(tmp_path / "p.png", transparency=3)
    photo = load_photo(tmp_path / "p.png")
    assert photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha == 0, np.asarray(palette) == 3)

    grey = np.full((HEIGHT, WIDTH), 200, np.uint8)
    half = np.full((HEIGHT, WIDTH), 51, np.uint8)
    Image.merge("LA", [Image.fromarray(grey), Image.fromarray(half)]).save(tmp_path / "la.png")
    photo = load_photo(tmp_path / "la.png")
    assert photo.alpha is not None
    assert np.unique(photo.alpha).tolist() == [51]
    assert photo.pixels[0, 0].tolist() == [pytest.approx(200 * 0.2 + 127 * 0.8, abs=1)] * 3


def test_opaque_alpha_counts_as_none() -> None:
    rgba = np.dstack([gradient(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    photo = load_photo(Image.fromarray(rgba))
    assert photo.alpha is None
    assert difference(photo.pixels, gradient()) == 0


def test_cmyk(tmp_path: Path) -> None:
    image = Image.fromarray(gradient()).convert("CMYK")
    for name, options in (("print.jpg", {"quality": 95}), ("print.tiff", {})):
        image.save(tmp_path / name, **options)
        assert difference(load_photo(tmp_path / name).pixels, gradient()) < 4, name


def test_colour_profile_is_applied() -> None:
    # No wide-gamut profile is at hand everywhere; Lab is, and its values are unmistakable.
    buffer = io.BytesIO()
    lab = ImageCms.createProfile("LAB")
    wrong_space = ImageCms.ImageCmsProfile(lab).tobytes()
    Image.fromarray(gradient()).save(buffer, "PNG", icc_profile=wrong_space)
    # A profile that does not fit the pixels, or is broken, leaves them alone.
    assert difference(load_photo(buffer.getvalue()).pixels, gradient()) == 0
    buffer = io.BytesIO()
    Image.fromarray(gradient()).save(buffer, "PNG", icc_profile=b"not a profile")
    assert difference(load_photo(buffer.getvalue()).pixels, gradient()) == 0
    # sRGB to linear light and back again, whatever the profile calls itself.
    profile = linear_rgb_profile()
    assert "srgb" in ImageCms.getProfileDescription(io.BytesIO(profile)).lower()
    buffer = io.BytesIO()
    Image.fromarray(gradient()).save(buffer, "PNG", icc_profile=profile)
    expected = np.where(
        (v := gradient() / 255.0) <= 0.0031308, 12.92 * v, 1.055 * v ** (1 / 2.4) - 0.055
    )
    assert difference(load_photo(buffer.getvalue()).pixels, expected * 255) < 1.5


def test_srgb_by_another_name_is_left_alone() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB".encode("utf-16-be"), "AbCd".encode("utf-16-be"))
    assert "srgb" not in ImageCms.getProfileDescription(io.BytesIO(profile)).lower()
    buffer = io.BytesIO()
    Image.fromarray(gradient()).save(buffer, "PNG", icc_profile=profile)
    np.testing.assert_array_equal(load_photo(buffer.getvalue()).pixels, gradient())


def linear_rgb_profile() -> bytes:
    """sRGB's own profile with its tone curve replaced by the identity (a one-entry gamma)."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(data[128:132], "big")
    for i in range(count):
        entry = 132 + 12 * i
        tag = bytes(data[entry : entry + 4])
        offset = int.from_bytes(data[entry + 4 : entry + 8], "big")
        if tag in (b"rTRC", b"gTRC", b"bTRC"):
            assert data[offset : offset + 4] in (b"para", b"curv")
            # A parametric curve of type 0 is y = x ** g; g = 1 in 16.16 fixed point.
            data[offset : offset + 16] = b"para\0\0\0\0\0\0\0\0" + (65536).to_bytes(4, "big")
    return bytes(data)


def turned(array: np.ndarray, orientation: int) -> np.ndarray:
    """The array as a camera stores it when it tags it with ``orientation`` (EXIF 2.32, 4.6.4)."""
    undo: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: np.swapaxes(a, 0, 1),
        6: lambda a: np.rot90(a, 1),  # stored turned to the left, to be shown turned right
        7: lambda a: np.rot90(np.swapaxes(a, 0, 1), 2),
        8: lambda a: np.rot90(a, -1),
    }
    return np.ascontiguousarray(undo[orientation](array))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_orientation(tmp_path: Path, orientation: int, suffix: str) -> None:
    image = Image.fromarray(turned(gradient(), orientation))
    tags = image.getexif()
    tags[0x0112] = orientation
    path = tmp_path / f"phone.{suffix}"
    image.save(path, exif=tags, **({"quality": 95} if suffix == "jpg" else {}))
    photo = load_photo(path)
    assert difference(photo.pixels, gradient()) < 3
    assert photo.original_size == (WIDTH, HEIGHT)


def test_focal_length_from_exif_survives_rotation(tmp_path: Path) -> None:
    image = Image.fromarray(turned(gradient(), 6))
    tags = image.getexif()
    tags[0x0112] = 6
    tags.get_ifd(0x8769)[0xA405] = 50
    path = tmp_path / "phone.jpg"
    image.save(path, exif=tags)
    camera = load_photo(path).camera
    assert camera.source == "exif"
    assert camera.focal_px == pytest.approx(50 / np.hypot(36, 24) * np.hypot(WIDTH, HEIGHT))
    assert (camera.width, camera.height) == (WIDTH, HEIGHT)
    assert load_photo(path, fov_deg=40).camera.source == "given"


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_large_picture_is_reduced_and_its_camera_with_it(tmp_path: Path, suffix: str) -> None:
    width, height = 2 * MAX_WORKING_SIDE, 400
    big = cv2.resize(gradient(), (width, height), interpolation=cv2.INTER_LINEAR)
    image = Image.fromarray(big)
    tags = image.getexif()
    tags[0x0112] = 1  # Pillow writes no EXIF that has nothing in its first directory
    tags.get_ifd(0x8769)[0xA405] = 50
    path = tmp_path / f"panorama.{suffix}"
    image.save(path, exif=tags)
    photo = load_photo(path)
    assert (photo.width, photo.height) == (MAX_WORKING_SIDE, 200)
    assert photo.original_size == (width, height)
    assert difference(photo.pixels, cv2.resize(big, (MAX_WORKING_SIDE, 200))) < 3
    expected = 50 / np.hypot(36, 24) * np.hypot(MAX_WORKING_SIDE, 200)
    assert photo.camera.focal_px == pytest.approx(expected, rel=1e-6)


def test_real_photographs(shared_data: Callable[[str], Path]) -> None:
    paths = [p for p in sorted(shared_data("photos").iterdir()) if p.suffix != ".csv"]
    assert len(paths) >= 10
    for path in paths:
        photo = load_photo(path)
        assert photo.pixels.std() > 5
        assert max(photo.width, photo.height) <= MAX_WORKING_SIDE
