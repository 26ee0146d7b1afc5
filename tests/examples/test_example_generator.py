"""The generator of the example: it writes the committed files, reproducibly."""

from pathlib import Path

from ops.local.market_day.__main__ import main
from ops.local.market_day.files import render_files
from ops.local.market_day.setting import SEED
from ops.project import EXAMPLE_DIR


def test_the_committed_files_are_up_to_date() -> None:
    for name, text in render_files(SEED).items():
        assert (EXAMPLE_DIR / name).read_bytes() == text.encode(), (
            f"{name}: run python -m ops.local.market_day"
        )


def test_the_directory_has_only_the_generated_files_and_the_readme() -> None:
    generated = set(render_files(SEED))
    assert {path.name for path in EXAMPLE_DIR.iterdir()} == generated | {"README.md"}


def test_the_files_depend_on_the_seed_only() -> None:
    assert render_files(1) == render_files(1)
    first, second = render_files(1), render_files(2)
    assert all(first[name] != second[name] for name in first if name != "campaign.json")


def test_the_command_writes_the_files_to_a_directory(tmp_path: Path) -> None:
    main(["--seed", "1", "--out", str(tmp_path / "there")])
    written = {path.name: path.read_bytes() for path in (tmp_path / "there").iterdir()}
    assert written == {name: text.encode() for name, text in render_files(1).items()}
