"""The web app's files: their addresses, the release that these depend on, and their size."""

import gzip
import re
from pathlib import Path

import pytest

from chalicelib.web.errors import FileUnknown
from chalicelib.web.site import (
    CONSOLE_DIRECTORY,
    CONSOLE_SHARED_FILES,
    STATIC_DIRECTORY,
    Site,
    load_app_site,
    load_console_site,
)

TOP_FILES = ("index.html", "service-worker.js", "manifest.webmanifest")
MAX_COMPRESSED_BYTES = 150_000


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a small site's directory."""
    for folder in ("scripts", "styles"):
        (tmp_path / folder).mkdir()
    (tmp_path / "index.html").write_text(
        '<script type="module" src="app/__RELEASE__/scripts/main.js"></script>'
    )
    (tmp_path / "service-worker.js").write_text('const FILES = "__FILES__".split(" ");')
    (tmp_path / "scripts" / "main.js").write_text("export const release = '__RELEASE__';")
    (tmp_path / "styles" / "app.css").write_text("body { margin: 0; }")
    return tmp_path


def test_the_page_refers_to_its_release(directory: Path) -> None:
    site = Site(directory)
    page = site.get_top_file("index.html").content.decode()
    assert f'src="app/{site.release}/scripts/main.js"' in page


def test_the_service_worker_lists_every_file_of_the_release(directory: Path) -> None:
    site = Site(directory)
    script = site.get_top_file("service-worker.js").content.decode()
    assert f'"{site.release}/scripts/main.js {site.release}/styles/app.css".split' in script


def test_a_file_in_a_folder_is_sent_as_it_is(directory: Path) -> None:
    site = Site(directory)
    file = site.get_file(site.release, "scripts/main.js")
    assert file.content == (directory / "scripts" / "main.js").read_bytes()
    assert file.media_type == "text/javascript; charset=utf-8"
    assert gzip.decompress(file.compressed) == file.content


@pytest.mark.parametrize(
    "name", ["index.html", "scripts/gone.js", "scripts/../index.html", "../site.py", "scripts/", ""]
)
def test_nothing_but_its_files_is_sent(directory: Path, name: str) -> None:
    site = Site(directory)
    with pytest.raises(FileUnknown):
        site.get_file(site.release, name)


def test_the_files_of_another_release_are_unknown(directory: Path) -> None:
    with pytest.raises(FileUnknown):
        Site(directory).get_file("0" * 16, "scripts/main.js")


@pytest.mark.parametrize("change", ["content", "name", "new file", "page"])
def test_any_change_is_another_release(directory: Path, change: str) -> None:
    before = Site(directory).release
    script = directory / "scripts" / "main.js"
    match change:
        case "content":
            script.write_text("export const release = 2;")
        case "name":
            script.rename(script.with_name("start.js"))
        case "new file":
            script.with_name("second.js").write_text("")
        case _:
            (directory / "index.html").write_text("<title>2</title>")
    assert Site(directory).release != before


def test_the_same_files_are_the_same_release() -> None:
    assert Site(STATIC_DIRECTORY).release == Site(STATIC_DIRECTORY).release
    assert re.fullmatch("[0-9a-f]{16}", Site(STATIC_DIRECTORY).release)


@pytest.mark.parametrize(
    ("site", "top_files", "shared_files"),
    [(load_app_site(), TOP_FILES, {}), (load_console_site(), ("index.html",), CONSOLE_SHARED_FILES)],
    ids=["app", "console"],
)
def test_every_file_is_at_the_top_or_in_one_folder(
    site: Site, top_files: tuple[str, ...], shared_files: dict[str, Path]
) -> None:
    directory = CONSOLE_DIRECTORY if shared_files else STATIC_DIRECTORY
    names = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}
    assert {*names, *shared_files} == {*top_files, *site.names}
    assert names & shared_files.keys() == set()
    assert [name for name in site.names if not re.fullmatch(r"[a-z0-9-]+/[a-z0-9.-]+", name)] == []


def test_a_change_of_a_shared_file_is_another_release_of_the_console(tmp_path: Path) -> None:
    shared = tmp_path / "page.css"
    shared.write_text("a {}")
    before = Site(CONSOLE_DIRECTORY, {"styles/shared.css": shared})
    assert before.get_file(before.release, "styles/shared.css").content == b"a {}"
    shared.write_text("b {}")
    assert Site(CONSOLE_DIRECTORY, {"styles/shared.css": shared}).release != before.release


def test_no_tablet_loads_the_console() -> None:
    assert [name for name in load_app_site().names if name.startswith("pages/")] == []
    assert [name for name in load_console_site().names if name.startswith("pages/")] != []


@pytest.mark.parametrize(
    ("site", "top_files"),
    [(load_app_site(), TOP_FILES), (load_console_site(), ("index.html",))],
    ids=["app", "console"],
)
def test_every_file_has_a_media_type_and_all_are_small_enough_for_a_slow_network(
    site: Site, top_files: tuple[str, ...]
) -> None:
    files = [
        *(site.get_top_file(name) for name in top_files),
        *(site.get_file(site.release, name) for name in site.names),
    ]
    assert sum(len(file.compressed) for file in files) <= MAX_COMPRESSED_BYTES


@pytest.mark.parametrize("directory", [STATIC_DIRECTORY, CONSOLE_DIRECTORY], ids=["app", "console"])
def test_no_page_or_style_needs_what_the_policy_forbids(directory: Path) -> None:
    """The content security policy allows nothing inline and nothing from elsewhere."""
    page = (directory / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|<base|https?://", page) == []
    for path in directory.rglob("*.css"):
        assert re.findall(r"@import|url\((?!data:)", path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("directory", [STATIC_DIRECTORY, CONSOLE_DIRECTORY], ids=["app", "console"])
def test_no_script_makes_markup_of_text(directory: Path) -> None:
    """Texts become text nodes. The page of a day alone is parsed, which the server has escaped."""
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser"
    found = {
        path.relative_to(directory).as_posix()
        for path in directory.rglob("*.js")
        if re.search(markup, path.read_text(encoding="utf-8"))
    }
    assert found <= {"pages/day.js"}
