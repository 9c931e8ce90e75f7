"""The page and the table about a batch."""

import csv
import os
from pathlib import Path

import pytest

from batch_tools import Bench
from vitruvian.batch.manifest import Manifest
from vitruvian.batch.page import write_page, write_table
from vitruvian.batch.results import open_results
from vitruvian.errors import InputError


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_that_are_no_text_and_failures_with_markup(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.put(os.fsdecode(b"\xff<b>.jpg"), "crash")
    bench.put("good.jpg", "good")
    bench.run(retries=0)
    store = open_results(str(bench.results))
    with Manifest(bench.manifest, bench.plan().settings) as manifest:
        page = write_page(manifest, store, tmp_path / "report.html").read_text("utf-8")
        table = write_table(manifest, store, tmp_path / "index.csv")
        with pytest.raises(InputError, match="Cannot write"):
            write_table(manifest, store, tmp_path / "missing" / "index.csv")
    assert '<td class="number">1</td>' in page
    assert "\ufffd&lt;b&gt;.jpg failed unexpectedly" in page
    assert "<b>.jpg" not in page
    with table.open(encoding="utf-8", newline="") as file:
        rows = {Path(row["input"]).name: row for row in csv.DictReader(file)}
    assert rows["\ufffd<b>.jpg"]["code"] == "crashed"
    assert (bench.results / rows["good.jpg"]["result"] / "mesh.txt").read_text() == "good"
    assert not list(tmp_path.glob(".*.tmp"))
