"""Write the API's OpenAPI document, the page made from it, and the form for ODK Collect: `make api`."""

import json
from typing import Any

import click

from app import app
from ops.odk.xform import write_xform
from ops.openapi.document import build_document
from ops.openapi.page import OPENAPI_FILE, PAGE_PATH, write_page
from ops.project import ROOT

# Objects down to this depth have one line for each member: an operation or a schema is one line.
_EXPANDED_DEPTH = 3


def render_document() -> str:
    """Return the text of `openapi.json`: compact, with line breaks that make its changes readable."""
    return f"{_to_compact_json(build_document(app))}\n"


def _to_compact_json(value: Any, depth: int = 0) -> str:
    if depth < _EXPANDED_DEPTH and value and isinstance(value, dict):
        members = (f"{json.dumps(name)}:{_to_compact_json(each, depth + 1)}" for name, each in value.items())
        return "{\n" + ",\n".join(members) + "\n}"
    if depth < _EXPANDED_DEPTH and value and isinstance(value, list):
        return "[\n" + ",\n".join(_to_compact_json(each, _EXPANDED_DEPTH) for each in value) + "\n]"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@click.command()
def main() -> None:
    """Write `openapi.json`, the page of `GET /docs` and the form for ODK Collect."""
    OPENAPI_FILE.write_text(render_document(), encoding="utf-8")
    write_page()
    write_xform()
    for file in (OPENAPI_FILE, ROOT / PAGE_PATH):
        click.echo(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
