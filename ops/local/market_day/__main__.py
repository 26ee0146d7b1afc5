"""Write the files of examples/tanah-abang-2024: two days of registrations at a market.

All people in it are invented. The same seed gives the same bytes on every supported Python.

    python -m ops.local.market_day [--seed N] [--out DIR]
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ops.local.market_day.files import render_files
from ops.local.market_day.setting import SEED
from ops.project import EXAMPLE_DIR


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m ops.local.market_day", description="Write the example market day."
    )
    parser.add_argument(
        "--seed", type=int, default=SEED, help="the seed of all random choices (default: %(default)s)"
    )
    parser.add_argument(
        "--out", type=Path, default=EXAMPLE_DIR, help="the directory to write to (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, text in render_files(options.seed).items():
        (options.out / name).write_text(text, encoding="utf-8", newline="\n")
        sys.stdout.write(f"{options.out / name}: {text.count(chr(10))} lines\n")


if __name__ == "__main__":
    main()
