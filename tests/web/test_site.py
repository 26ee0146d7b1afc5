"""The web app's files: their addresses, the release that these depend on, and their size."""

import gzip
import re
from pathlib import Path

import pytest

from chalicelib.web.errors import FileUnknown
from chalicelib.web.site import STATIC_DIRECTORY, Site

TOP_FILES = ("index.html", "service-worker.js", "manifest.webmanifest")
MAX_COMPRESSED_BYTES = 150_000


@pytest.fixture
def app_files() -> Site:
    return Site(STATIC_DIRECTORY)


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


def test_every_file_is_at_the_top_or_in_one_folder(app_files: Site) -> None:
    names = {
        path.relative_to(STATIC_DIRECTORY).as_posix()
        for path in STATIC_DIRECTORY.rglob("*")
        if path.is_file()
    }
    assert names == {*TOP_FILES, *app_files.names}
    assert [name for name in app_files.names if not re.fullmatch(r"[a-z0-9-]+/[a-z0-9.-]+", name)] == []


def test_every_file_has_a_media_type_and_all_are_small_enough_for_a_slow_network(app_files: Site) -> None:
    files = [
        *(app_files.get_top_file(name) for name in TOP_FILES),
        *(app_files.get_file(app_files.release, name) for name in app_files.names),
    ]
    assert sum(len(file.compressed) for file in files) <= MAX_COMPRESSED_BYTES


def test_no_page_or_style_needs_what_the_policy_forbids() -> None:
    """The content security policy allows nothing inline and nothing from elsewhere."""
    page = (STATIC_DIRECTORY / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|<base|https?://", page) == []
    for path in STATIC_DIRECTORY.rglob("*.css"):
        assert re.findall(r"@import|url\((?!data:)", path.read_text(encoding="utf-8")) == []
