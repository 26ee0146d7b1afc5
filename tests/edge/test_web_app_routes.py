"""The web app and the console over HTTP: addresses, caching, compression and what their pages may do."""

import gzip
import re
from urllib.parse import urljoin

import pytest

from tests.edge.conftest import Edge, assert_problem, dump_stored_state

PAGE, SERVICE_WORKER, MANIFEST = "/app", "/app/service-worker.js", "/app/manifest.webmanifest"
CONSOLE = "/console"
PAGES = [PAGE, CONSOLE]
TOP_PATHS = [*PAGES, SERVICE_WORKER, MANIFEST]


def find_addresses(page: str) -> list[str]:
    """Return the addresses that a page refers to, as a browser would resolve them."""
    return [urljoin(PAGE, found) for found in re.findall(r'(?:src|href)="([^"]+)"', page)]


@pytest.mark.parametrize("path", PAGES)
def test_anybody_can_load_a_page_and_all_that_it_refers_to(
    edge: Edge, subtests: pytest.Subtests, path: str
) -> None:
    before = dump_stored_state()
    page = edge.send("GET", path, caller=None)
    addresses = find_addresses(page.body.decode())

    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert any(address.endswith("/scripts/main.js") for address in addresses)
    assert (MANIFEST in addresses) == (path == PAGE)
    for address in addresses:
        with subtests.test(address):
            assert edge.send("GET", address, caller=None).status_code == 200
    assert dump_stored_state() == before


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("prefix", ["", "/api", "/_aws/execute-api/abc/api"])
def test_addresses_are_right_under_any_prefix(edge: Edge, prefix: str, path: str) -> None:
    page = edge.send("GET", path, caller=None).body.decode()
    found = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert {urljoin(f"{prefix}{path}", each).startswith(f"{prefix}{path}/") for each in found} == {True}


def test_the_service_worker_may_act_for_the_page(edge: Edge) -> None:
    response = edge.send("GET", SERVICE_WORKER, caller=None)
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert urljoin(SERVICE_WORKER, response.headers["Service-Worker-Allowed"]) == PAGE


def test_the_service_worker_lists_files_that_are_there(edge: Edge, subtests: pytest.Subtests) -> None:
    script = edge.send("GET", SERVICE_WORKER, caller=None).body.decode()
    listed = re.findall(r"[0-9a-f]{16}/[a-z0-9./-]+", script)
    assert len(listed) > 2
    for name in listed:
        with subtests.test(name):
            assert (
                edge.send("GET", urljoin(SERVICE_WORKER, name), caller=None, Accept="*/*").status_code == 200
            )


@pytest.mark.parametrize("path", TOP_PATHS)
def test_what_keeps_its_address_is_asked_for_each_time_and_sent_only_if_it_changed(
    edge: Edge, path: str
) -> None:
    first = edge.send("GET", path, caller=None)
    again = edge.send("GET", path, caller=None, If_None_Match=first.headers["ETag"])
    assert first.headers["Cache-Control"] == again.headers["Cache-Control"] == "no-cache"
    assert (again.status_code, again.body) == (304, b"")


@pytest.mark.parametrize("path", PAGES)
def test_what_changes_its_address_is_kept(edge: Edge, path: str) -> None:
    (script,) = [
        each for each in find_addresses(edge.send("GET", path).body.decode()) if each.endswith(".js")
    ]
    headers = edge.send("GET", script, caller=None).headers
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", TOP_PATHS)
def test_the_page_may_load_and_run_only_what_comes_from_its_own_address(edge: Edge, path: str) -> None:
    policy = edge.send("GET", path, caller=None).headers["Content-Security-Policy"]
    directives = {name: sources for name, *sources in (each.split() for each in policy.split(";"))}
    assert directives["default-src"] == ["'none'"]
    assert "unsafe" not in policy
    sources = {source for listed in directives.values() for source in listed}
    assert sources == {"'none'", "'self'", "data:", "blob:"}
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == ["'self'"]
    for name in ("frame-ancestors", "base-uri", "form-action"):
        assert directives[name] == ["'none'"]


@pytest.mark.parametrize("path", TOP_PATHS)
def test_a_file_is_compressed_for_a_client_that_accepts_it(edge: Edge, path: str) -> None:
    plain = edge.send("GET", path, caller=None)
    compressed = edge.send("GET", path, caller=None, Accept_Encoding="gzip, deflate, br")
    assert "Content-Encoding" not in plain.headers
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(compressed.body) == plain.body
    assert plain.headers["Vary"] == compressed.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] == compressed.headers["ETag"]


@pytest.mark.parametrize("path", PAGES)
def test_a_file_that_is_not_there_is_refused_and_not_kept(edge: Edge, path: str) -> None:
    response = edge.send("GET", f"{path}/0123456789abcdef/scripts/main.js", caller=None)
    assert_problem(response, 404, "file_unknown")
    assert response.headers["Cache-Control"] == "no-store"
