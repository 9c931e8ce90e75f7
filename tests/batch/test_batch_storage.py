"""Inputs and results in an S3 storage: a real server, in a process of its own."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batch_tools import Bench

pytest.importorskip("s3fs", reason="needs the extra cloud")
pytest.importorskip("moto", reason="needs moto, an S3 server")

from vitruvian.batch.manifest import Manifest
from vitruvian.batch.results import open_results


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    """The file system of a bucket on a server of its own."""
    code = (
        "from moto.server import ThreadedMotoServer as S; s = S(port=0); s.start(); "
        "print('PORT', s.get_host_and_port()[1], flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        port = next(line.split()[1] for line in server.stdout if line.startswith("PORT"))
        known = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }
        with pytest.MonkeyPatch.context() as patch:
            for name, value in known.items():
                patch.setenv(name, value)
            import s3fs

            files = s3fs.S3FileSystem(skip_instance_cache=True)
            files.mkdir("bucket")
            yield files
        server.kill()


def test_from_storage_to_storage(bucket: Any, tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for name, text in {"a.jpg": "a", "sub/b.jpg": "b", "bad.jpg": "refuse", "no.md": "x"}.items():
        bucket.pipe_file(f"bucket/in/{name}", text.encode())
    with zipfile.ZipFile(tmp_path / "more.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("c.jpg", "c")
    bucket.put_file(str(tmp_path / "more.zip"), "bucket/more.zip")
    inputs = ["s3://bucket/in", "s3://bucket/more.zip", "s3://bucket/in/sub/b.jpg"]
    where = {"inputs": inputs, "results": "s3://bucket/out"}
    tally = bench.run(**where)
    assert (tally.done, tally.failed) == (3, 1)
    store = open_results("s3://bucket/out")
    plan = bench.plan(results="s3://bucket/out")
    with Manifest(bench.manifest, plan.settings) as manifest:
        rows = {row.task.sources[0]: row for row in manifest.rows()}
    assert set(rows) == {
        "s3://bucket/in/a.jpg", "s3://bucket/in/sub/b.jpg", "s3://bucket/in/bad.jpg",
        "s3://bucket/more.zip!/c.jpg",
    }  # fmt: skip
    for name, text in (("in/a.jpg", b"a"), ("in/sub/b.jpg", b"b"), ("more.zip!/c.jpg", b"c")):
        key = rows[f"s3://bucket/{name}"].result
        assert key is not None
        assert store.read(key, "mesh.txt") == text
        about = store.about(key)
        assert about is not None
        assert about["sources"] == [f"s3://bucket/{name}"]

    # The manifest is lost: results are found under their keys, and nothing is made again.
    made = len(bench.made())
    os.remove(bench.manifest)
    assert bench.run(**where).done == 3
    assert len(bench.made()) == made + 1  # the refused one
    # A file that changes is another input.
    bucket.pipe_file("bucket/in/a.jpg", b"another")
    assert bench.run(**where).done == 3
    assert len(bench.made()) == made + 2
    assert len(bucket.glob("bucket/out/*/*")) == 4
