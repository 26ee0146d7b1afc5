"""The layer by which exports are written as Parquet: complete, small enough, and the same each time."""

import gzip
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from ops.deploy.parquet_layer import make_layer
from ops.deploy.runtimes import find_own_target
from ops.project import ROOT
from tests.support.export_bucket import read_parquet_rows

# What Lambda unpacks of a function and its layers, and what it takes without a bucket.
UNPACKED_LIMIT, UPLOAD_LIMIT = 250_000_000, 50_000_000
LARGEST_ZIP_OF_THE_FUNCTIONS = 40_000_000


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = tmp_path_factory.mktemp("layer") / "layer.zip"
    assert make_layer(archive, find_own_target()) < UNPACKED_LIMIT - LARGEST_ZIP_OF_THE_FUNCTIONS
    return archive


def test_the_layer_can_be_published_without_a_bucket(layer: Path) -> None:
    assert layer.stat().st_size < UPLOAD_LIMIT


def test_the_layer_has_all_that_writing_parquet_needs(layer: Path, tmp_path: Path) -> None:
    with ZipFile(layer) as archive:
        archive.extractall(tmp_path / "opt")
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(b'{"outcome":"created","cancelled":false}\n'))
    program = f"import sys; sys.path[:0] = {[str(ROOT), str(tmp_path / 'opt' / 'python')]}\n"
    program += "from pathlib import Path; from chalicelib.exports.parquet import write_parquet\n"
    program += "write_parquet(Path('rows.jsonl.gz'), Path('rows.parquet'))"

    # Neither what is installed here nor a home directory to keep anything in.
    subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True, cwd=tmp_path, env={})

    [row] = read_parquet_rows(tmp_path / "rows.parquet")
    assert (row["outcome"], row["cancelled"], row["id"]) == ("created", False, None)


def test_the_same_libraries_give_the_same_bytes(layer: Path, tmp_path: Path) -> None:
    make_layer(tmp_path / "again.zip", find_own_target())
    assert (tmp_path / "again.zip").read_bytes() == layer.read_bytes()
