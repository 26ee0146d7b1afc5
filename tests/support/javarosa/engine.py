"""ODK's own form engine, JavaRosa: it stands in the jar that pyxform carries, and needs a JDK 17 or later."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyxform

JAR = Path(pyxform.__file__).parent / "validators" / "odk_validate" / "bin" / "ODK_Validate.jar"
_SOURCE = Path(__file__).with_name("FillForms.java")
_TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class Filling:
    """The text to type for each question, by its path, and the time at which the form was begun."""

    answers: Mapping[str, str]
    start: str | None = None


@dataclass(frozen=True)
class FilledForm:
    """The engine's results for each answer, and the instance.

    `invalid` is the first question for which the engine would not finalize the form, if there is one.
    """

    results: Mapping[str, str]
    invalid: str | None
    xml: str

    @property
    def refused(self) -> set[str]:
        """Return the paths of the questions whose answers broke a constraint."""
        return {path for path, result in self.results.items() if result == "CONSTRAINT_VIOLATED"}


def is_java_installed() -> bool:
    return shutil.which("javac") is not None


class FormEngine:
    """A form, opened by JavaRosa with the files beside it."""

    def __init__(self, form: bytes, media: Mapping[str, bytes], folder: Path) -> None:
        """Write the form to `folder` and compile the program that fills it."""
        self._folder = folder
        self._form = folder / "form.xml"
        self._form.write_bytes(form)
        for name, content in media.items():
            (folder / name).write_bytes(content)
        self._run(["javac", "-nowarn", "-cp", str(JAR), "-d", str(folder), str(_SOURCE)])

    def fill(self, fillings: Iterable[Filling]) -> Sequence[FilledForm]:
        """Return the form filled with each of `fillings`, in order."""
        lines = [
            json.dumps({"answers": each.answers} | ({"start": each.start} if each.start else {}))
            for each in fillings
        ]
        # A class path with the compiled program; the zone is that of a phone in Jakarta.
        command = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-Duser.timezone=Asia/Jakarta"]
        command += ["-cp", f"{JAR}{os.pathsep}{self._folder}", "FillForms", str(self._form)]
        out = self._run(command, "\n".join(lines) + "\n" if lines else "")
        return [FilledForm(**json.loads(line)) for line in out.splitlines()]

    def _run(self, command: list[str], text: str = "") -> str:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout
