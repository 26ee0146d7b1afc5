"""The names of the programmes, for devices."""

from functools import cache
from pathlib import Path

from chalicelib.contributions.model import Programme
from chalicelib.models import StrictModel
from chalicelib.strict_json import parse_data_file

_FILE = Path(__file__).with_name("data") / "programmes.json"


class ProgrammeName(StrictModel):
    """The official name of a programme, and an English one."""

    id: Programme
    name: str
    name_en: str


@cache
def load_programme_names() -> tuple[ProgrammeName, ...]:
    return tuple(parse_data_file(list[ProgrammeName], _FILE.read_text(encoding="utf-8")))
