"""Writes the API's description where it is served from and where it is read: `make api`."""

import json
from pathlib import Path

import click

from app import app
from ops.local.emulator import ROOT
from ops.openapi.document import build_document
from ops.openapi.markdown import to_markdown
from ops.openapi.page import to_page


def build_files() -> dict[Path, str]:
    """Every file that is made from the API's description, and what it has to hold."""
    document = build_document(app)
    markdown = to_markdown(document)
    return {
        ROOT / "chalicelib" / "http" / "openapi.json": json.dumps(document, indent=1, ensure_ascii=False)
        + "\n",
        ROOT / "chalicelib" / "http" / "page.html": to_page(markdown),
        ROOT / "docs" / "api.md": markdown,
    }


@click.command()
def main() -> None:
    """Write the API's description anew."""
    for file, text in build_files().items():
        file.write_text(text, encoding="utf-8")
        click.echo(f"{file.relative_to(ROOT)}: {len(text.encode()) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
