"""The page at `GET /docs`: self-contained, without scripts. It is made from the committed `openapi.json`.

Packaging puts it into the zip, `make api` writes it for local use. It is not committed.
"""

import json
import os
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ops.openapi.markdown import make_anchor, to_markdown
from ops.project import ROOT

OPENAPI_FILE = ROOT / "chalicelib" / "http" / "openapi.json"
PAGE_PATH = "chalicelib/http/page.html"

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Daftar: the API</title>
<style>
 :root {{ color-scheme: light dark; }}
 body {{ margin: 0 auto; max-width: 60rem; padding: 1rem; font: 16px/1.5 system-ui, sans-serif; }}
 h2 {{ margin-top: 3rem; border-bottom: 2px solid; }}
 h3 {{ margin-top: 2rem; font-family: ui-monospace, monospace; overflow-wrap: anywhere; }}
 :target {{ background: #fe83; }}
 table {{ border-collapse: collapse; width: 100%; }}
 th, td {{ border: 1px solid #8886; padding: .25rem .5rem; text-align: left; vertical-align: top; }}
 td {{ overflow-wrap: anywhere; }}
 pre {{ border: 1px solid #8886; padding: .5rem; overflow: auto; max-height: 24rem; font-size: .85rem; }}
 code {{ font-family: ui-monospace, monospace; font-size: .9em; }}
</style>
<p><a href="v1/openapi.json">OpenAPI 3.1</a></p>
{body}</html>
"""


def write_page(root: Path = ROOT) -> None:
    """Write the page where the application under `root` serves it from."""
    target = root / PAGE_PATH
    # In one step, because tests of several processes may write and read it at the same time.
    draft = target.with_name(f".page.{os.getpid()}.html")
    draft.write_text(build_page(), encoding="utf-8")
    draft.replace(target)


def build_page() -> str:
    """Return the page for the committed OpenAPI document."""
    return _to_html(to_markdown(json.loads(OPENAPI_FILE.read_text(encoding="utf-8"))))


def _to_html(markdown: str) -> str:
    """Return Markdown as a page. HTML in it is shown as text."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(markdown)
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", make_anchor(_read_heading(content)))
    return _PAGE.format(body=reader.renderer.render(tokens, reader.options, {}))


def _read_heading(heading: Token) -> str:
    return "".join(child.content for child in heading.children or ())
