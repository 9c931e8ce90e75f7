import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from vitruvian.image.exif import Exif, read_exif


def test_35mm_equivalent_is_by_the_diagonal() -> None:
    # A 36 x 24 picture in 35 mm terms: 50 mm are 50 of its pixels.
    assert Exif(focal_35mm=50.0).focal_px(36, 24) == pytest.approx(50.0)
    # A 4:3 phone has the same diagonal, not the same width.
    focal = Exif(focal_35mm=26.0).focal_px(4032, 3024)
    assert focal == pytest.approx(26 / math.hypot(36, 24) * 5040)


def test_focal_plane_resolution() -> None:
    # A 22.5 mm wide sensor of 6000 pixels with a 30 mm lens.
    exif = Exif(focal_mm=30.0, pixels_per_mm=6000 / 22.5, size=(6000.0, 4000.0))
    assert exif.focal_px(6000, 4000) == pytest.approx(8000)
    assert exif.focal_px(3000, 2000) == pytest.approx(4000)  # resized since
    assert exif.focal_px(2000, 3000) == pytest.approx(4000)  # turned upright since


def test_millimetres_alone_say_nothing() -> None:
    assert Exif(focal_mm=4.2).focal_px(4000, 3000) is None


def test_cropped_picture_has_no_known_lens() -> None:
    exif = Exif(focal_35mm=26.0, size=(4032.0, 3024.0))
    assert exif.focal_px(2016, 1512) is not None
    assert exif.focal_px(1512, 1512) is None


@pytest.mark.parametrize("focal", [0.5, 2.0, 5000.0])
def test_impossible_lens_is_ignored(focal: float) -> None:
    assert Exif(focal_35mm=focal).focal_px(4000, 3000) is None


@given(st.floats(12, 700), st.integers(64, 8000), st.integers(64, 8000))
def test_orientation_of_the_size_does_not_matter(focal: float, width: int, height: int) -> None:
    exif = Exif(focal_35mm=focal)
    assert exif.focal_px(width, height) == exif.focal_px(height, width)


def _picture(lens: dict[int, object], orientation: int = 1) -> Image.Image:
    image = Image.new("RGB", (64, 48))
    tags = image.getexif()
    tags[0x0112] = orientation
    tags.get_ifd(0x8769).update(lens)
    return image


@pytest.mark.parametrize(("unit", "per_unit"), [(2, 25.4), (3, 10.0), (4, 1.0)])
def test_units_of_resolution(unit: int, per_unit: float) -> None:
    exif = read_exif(_picture({0x920A: 30.0, 0xA20E: 266.0 * per_unit, 0xA210: unit}))
    assert exif.pixels_per_mm == pytest.approx(266.0)


@pytest.mark.parametrize("value", [IFDRational(0, 0), IFDRational(1, 0), 0, -35, "wide", (1, 2)])
def test_nonsense_reads_as_absent(value: object) -> None:
    exif = read_exif(_picture({0xA405: value, 0xA002: value, 0xA003: 10}))
    assert exif.focal_35mm is None
    assert exif.size is None


@pytest.mark.parametrize("value", [0, 9, 300])
def test_wrong_orientation_reads_as_upright(value: int) -> None:
    assert read_exif(_picture({}, orientation=value)).orientation == 1
