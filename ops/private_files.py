"""Write files that only their owner can read."""

import os
from pathlib import Path


def write_private_file(file: Path, text: str) -> None:
    """Write a file that only its owner can read, in one step: no reader sees it half written."""
    draft = file.with_name(f"{file.name}.draft")
    draft.unlink(missing_ok=True)
    with open(draft, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
        out.write(text)
    draft.replace(file)
