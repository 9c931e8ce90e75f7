"""Broken files one after the other, in a process of its own that may die of them.

    python -m vitruvian.lab.evaluation.suites.fuzz_probe FIRST COUNT

makes the files of COUNT numbers from FIRST on, reads each as the product does, and prints a line
of JSON before and after each. The numbers say everything: the same number is the same file.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from vitruvian.errors import VitruvianError
from vitruvian.lab.evaluation.documents import DOCUMENTS, broken_document, read_document
from vitruvian.lab.evaluation.mutations import mutated

_MEMORY_BYTES = 6 * 2**30  # address space, of which libraries take one or two at their start
_LONGEST_SENTENCE = 400
PICTURES = ("jpeg", "progressive", "png", "palette", "webp", "tiff", "bmp", "gif", "heic", "mp4")
FORMATS = (*PICTURES, *DOCUMENTS)


@cache
def sound_file(kind: str) -> bytes | None:
    """A small sound file of a format; None where this installation cannot write it."""
    y, x = np.mgrid[0:96, 0:72]
    pixels = np.stack([2 * x, 2 * y, (x * y) % 256], -1).astype(np.uint8)
    if kind == "mp4":
        return _clip(pixels)
    image, out = Image.fromarray(pixels), io.BytesIO()
    try:
        if kind == "progressive":
            exif = Image.Exif()
            exif[0x0112] = 6
            image.save(out, "JPEG", progressive=True, exif=exif)
        elif kind == "palette":
            image.quantize(16).save(out, "PNG", transparency=3)
        elif kind == "webp":  # with transparency and EXIF: more chunks than one
            exif = Image.Exif()
            exif[0x0112] = 3
            image.putalpha(Image.fromarray(pixels[..., 0]))
            image.save(out, "WEBP", exif=exif)
        elif kind == "heic":
            from pillow_heif import register_heif_opener

            register_heif_opener()
            image.save(out, "HEIF")
        else:
            image.save(out, kind.upper(), **({"compression": "tiff_lzw"} if kind == "tiff" else {}))
    except (ImportError, KeyError, OSError):
        return None
    return out.getvalue()


def _clip(pixels: np.ndarray) -> bytes | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        size = pixels.shape[1], pixels.shape[0]
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, size)
        for shift in range(8):
            writer.write(np.roll(pixels, shift, 1))
        writer.release()
        return path.read_bytes() if path.exists() else None


def broken_file(number: int) -> tuple[str, bytes]:
    """The format and the bytes of a number's file."""
    rng = np.random.default_rng(number)
    kind = FORMATS[number % len(FORMATS)]
    if kind in DOCUMENTS:
        return kind, broken_document(kind, rng)
    sound = sound_file(kind)
    if sound is None:
        kind = "jpeg"
        sound = sound_file(kind)
    assert sound is not None
    return kind, mutated(sound, rng)


def answer(kind: str, data: bytes) -> str:
    """``result`` or ``sentence``; ``bad sentence: ...`` for an error that is not fit to be shown.

    Whatever else is raised is a crash.
    """
    try:
        _read(kind, data)
    except VitruvianError as error:
        text = str(error)
        good = text.endswith(".") and "\n" not in text and 0 < len(text) <= _LONGEST_SENTENCE
        return "sentence" if good else f"bad sentence: {text}"
    except MemoryError:  # told by ``pipeline.run``
        return "sentence"
    return "result"


def _read(kind: str, data: bytes) -> None:
    from vitruvian.image.photo import load_photo
    from vitruvian.video.clip import open_clip

    if kind in DOCUMENTS:
        read_document(kind, data)
        return
    if kind != "mp4":
        load_photo(data)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        path.write_bytes(data)
        for number, _ in enumerate(open_clip(path, end_s=2.0).frames()):
            if number > 100:
                break


def main() -> None:
    """Read the files of a range of numbers."""
    with contextlib.suppress(ImportError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    first, count = int(sys.argv[1]), int(sys.argv[2])
    for number in range(first, first + count):
        kind, data = broken_file(number)
        print(json.dumps({"begins": number, "kind": kind}), flush=True)
        start = time.perf_counter()
        try:
            said = answer(kind, data)
        except Exception as error:
            said = f"crash: {type(error).__name__}: {error}"
        seconds = round(time.perf_counter() - start, 3)
        print(json.dumps({"number": number, "answer": said, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
