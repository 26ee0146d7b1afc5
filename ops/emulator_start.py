"""How the emulator is started: `emulator_main.py`, with the workers of its functions sharing what they read.

Ministack unpacks the zip anew for each worker, and does nothing else meanwhile. When fifty callers come at
once, it answers nobody for so long that functions give up on their tables. On Lambda, too, a function's
directory is only ever read.
"""

import os
import runpy
import threading
import zipfile
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime

_PROGRAM = Path(__file__).with_name("emulator_main.py")
_unpacking = threading.Lock()


class _Shared(zipfile.ZipFile):
    """A zip that is unpacked once, however often it is asked to be."""

    def extractall(self, path: Any = None, *_: Any, **__: Any) -> None:
        packed = Path(str(self.filename))
        unpacked = Path(gettempdir(), f"unpacked-{sha256(packed.read_bytes()).hexdigest()}")
        with _unpacking:
            if not unpacked.exists():
                draft = unpacked.with_suffix(".draft")
                super().extractall(draft)
                draft.rename(unpacked)
        os.rmdir(path)
        os.symlink(unpacked, path)


if __name__ == "__main__":
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": _Shared})
    runpy.run_path(str(_PROGRAM), run_name="__main__")
