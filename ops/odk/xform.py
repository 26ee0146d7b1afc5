"""The XForm for ODK Collect, made by pyxform from form.yaml.

Packaging puts it into the zip, `make api` writes it for local use. It is not committed.
"""

import csv
import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import yaml
from pyxform.xls2xform import convert

from chalicelib.http.field_texts import FIELD_MESSAGES
from ops.errors import OperationError
from ops.odk.rules import list_rules
from ops.project import ROOT

FORM_FILE = Path(__file__).with_name("form.yaml")
XFORM_PATH = "chalicelib/channels/odk/form.xml"

_LANGUAGES = {"id": "Bahasa Indonesia (id)", "en": "English (en)"}
# By the name of a row's key without its language: the XLSForm's column.
_COLUMNS = {"": "label", "hint": "hint", "message": "constraint_message", "required": "required_message"}
_RULE = re.compile(r"{([a-z_]+)}")
# What pyxform says of questions that ask for the phone's number; the officer sees the question in Collect.
_EXPECTED_WARNINGS = re.compile("phonenumber|deviceid")


def write_xform(root: Path = ROOT) -> None:
    """Write the form where the application under `root` reads it from."""
    target = root / XFORM_PATH
    # In one step, because tests of several processes may write and read it at the same time.
    draft = target.with_name(f".form.{os.getpid()}.xml")
    draft.write_text(build_xform(), encoding="utf-8")
    draft.replace(target)


@cache
def build_xform() -> str:
    """Return the form with its `@@name@@` still open. Raise OperationError for a warning of pyxform."""
    warnings: list[str] = []
    result = convert(build_xlsform(), warnings=warnings, form_name="data", file_type=".csv")
    if unexpected := [each for each in warnings if not _EXPECTED_WARNINGS.search(each)]:
        raise OperationError(f"pyxform warns of the ODK form: {unexpected}")
    return str(result.xform)


def build_xlsform() -> str:
    """Return the XLSForm as CSV: the sheets one after another, as pyxform reads them."""
    definition = yaml.safe_load(FORM_FILE.read_text(encoding="utf-8"))
    rules = list_rules()
    choices = (
        {"list_name": name, **_make_row(row, rules)}
        for name, rows in definition["choices"].items()
        for row in rows
    )
    out = StringIO()
    _write_sheet(out, "survey", [_make_row(row, rules) for row in definition["survey"]])
    _write_sheet(out, "choices", list(choices))
    _write_sheet(out, "settings", [definition["settings"]])
    return out.getvalue()


def _write_sheet(out: StringIO, name: str, rows: Sequence[Mapping[str, str]]) -> None:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    writer = csv.writer(out)
    writer.writerows([[name], ["", *columns]])
    writer.writerows(["", *(row.get(column, "") for column in columns)] for row in rows)


def _make_row(row: dict[str, Any], rules: dict[str, str]) -> dict[str, str]:
    made: dict[str, str] = {}
    for key, value in row.items():
        language, _, column = key.partition("_")
        if key == "message":
            message = FIELD_MESSAGES[value]
            made[f"constraint_message::{_LANGUAGES['id']}"] = message.indonesian
            made[f"constraint_message::{_LANGUAGES['en']}"] = message.english
        elif key == "id_code":
            message = FIELD_MESSAGES[value]
            made[f"label::{_LANGUAGES['id']}"] = message.indonesian
            made[f"label::{_LANGUAGES['en']}"] = message.english
        elif language in _LANGUAGES and column in _COLUMNS:
            made[f"{_COLUMNS[column]}::{_LANGUAGES[language]}"] = _fill(value, rules)
        else:
            made[key] = "yes" if value is True else _fill(str(value), rules)
    return made


def _fill(text: str, rules: dict[str, str]) -> str:
    # A quantifier such as {4} in a pattern is not a name.
    return _RULE.sub(lambda found: rules[found[1]] if found[1] in rules else found[0], text)
