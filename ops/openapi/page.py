"""The page at `GET /docs`: one file that loads nothing. It is made from the committed `openapi.json`.

Packaging puts it into the zip, `make api` writes it for local use. It is not committed.
"""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from ops.openapi.page_content import build_content
from ops.project import ROOT

OPENAPI_FILE = ROOT / "chalicelib" / "http" / "openapi.json"
PAGE_PATH = "chalicelib/http/page.html"

_TEMPLATES = Path(__file__).with_name("templates")


def write_page(root: Path = ROOT) -> None:
    """Write the page where the application under `root` serves it from."""
    target = root / PAGE_PATH
    # In one step, because tests of several processes may write and read it at the same time.
    draft = target.with_name(f".page.{os.getpid()}.html")
    draft.write_text(build_page(), encoding="utf-8")
    draft.replace(target)


def build_page() -> str:
    """Return the page for the committed OpenAPI document."""
    return render_page(json.loads(OPENAPI_FILE.read_text(encoding="utf-8")))


def render_page(document: dict[str, Any]) -> str:
    """Return the page for a document. Texts of the document are Markdown; HTML in them is shown as text."""
    return _get_environment().get_template("page.html.j2").render(page=build_content(document))


@cache
def _get_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    markdown = MarkdownIt("commonmark", {"html": False})
    environment.filters["paragraphs"] = lambda text: Markup(markdown.render(text))  # noqa: S704 - escaped by it
    environment.filters["inline"] = lambda text: Markup(markdown.renderInline(text))  # noqa: S704 - the same
    environment.globals["asset"] = _read_asset
    return environment


def _read_asset(name: str) -> Markup:
    """Return the style sheet or the script of the page, as it is."""
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704 - a file of ours
