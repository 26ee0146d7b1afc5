"""Make the zip of the layer that writes exports as Parquet: DuckDB, for Lambda's Python and processor.

It is no part of the zip of the functions, of which only one would use it, and all would be the larger for it.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from ops.deploy.libraries import fetch_libraries
from ops.deploy.packaging import copy_code, pack
from ops.deploy.runtimes import LAMBDA, Target

REQUIREMENTS = Path(__file__).with_name("parquet_requirements.txt")

# Lambda adds this directory of a layer to the path of Python.
_PYTHON_DIRECTORY = "python"


def make_layer(archive: Path, target: Target = LAMBDA) -> int:
    """Write the zip of the layer. Return the bytes that Lambda unpacks of it."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as directory:
        tree = Path(directory)
        copy_code(fetch_libraries(target, REQUIREMENTS), tree / _PYTHON_DIRECTORY)
        pack(tree, archive)
        return sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())


@click.command()
@click.argument("archive", type=click.Path(path_type=Path))
def main(archive: Path) -> None:
    """Write the layer into the file ARCHIVE, for `aws lambda publish-layer-version`."""
    unpacked = make_layer(archive)
    click.echo(f"{archive}: {archive.stat().st_size / 1e6:.1f} MB, {unpacked / 1e6:.1f} MB unpacked")


if __name__ == "__main__":
    main()
