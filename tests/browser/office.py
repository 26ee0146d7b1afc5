"""Conversion of files by LibreOffice, where this machine has it."""

import shutil
import subprocess
from pathlib import Path

import pytest


def find_office() -> str | None:
    """Return the path of LibreOffice, or None."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def convert(to: str, directory: Path, files: list[Path], *, infilter: str | None = None) -> None:
    """Convert files with LibreOffice into `directory`, which holds its profile too: it leaves nothing."""
    office = find_office()
    if office is None:
        pytest.skip("LibreOffice is not installed: install its Calc to read the workbook with it")
    command = [office, "--headless", f"-env:UserInstallation={(directory / 'home').as_uri()}"]
    command += [f"--infilter={infilter}"] if infilter else []
    command += ["--convert-to", to, "--outdir", str(directory), *map(str, files)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
