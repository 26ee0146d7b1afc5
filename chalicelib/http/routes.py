"""Public routes: the API's description, the same as a page, and a health check.

The description and the page are files that `make api` writes from the routes and their models. The health
check reads no store: it would take the API out of service whenever a store is slow for a moment.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from chalice.app import Blueprint, Response
from pydantic import BaseModel

from chalicelib.http.endpoints import (
    AnonymousRequest,
    json_response,
    public_endpoint,
    respond_unless_known,
)
from chalicelib.http.etags import compute_etag
from chalicelib.http.headers import build_page_headers

if TYPE_CHECKING:
    from chalicelib.container import Container

_DIRECTORY = Path(__file__).parent
# For so long after a deployment a client may show the old description.
_CACHE_CONTROL = "public, max-age=300"

_SCRIPT_START, _SCRIPT_END = "<script>", "</script>"


class HealthView(BaseModel):
    """The API answers, and its settings are complete."""

    status: Literal["ok"]


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/openapi.json", methods=["GET"], content_types=[])
    @public_endpoint(routes, responses={200: "application/json", 304: None}, headers=("ETag",))
    def show_description(request: AnonymousRequest) -> Response:
        """Return this description, as OpenAPI 3.1."""
        return _respond_with_file(request, "openapi.json", {"Content-Type": "application/json"})

    @routes.route("/docs", methods=["GET"], content_types=[])
    @public_endpoint(routes, responses={200: "text/html", 304: None}, headers=("ETag", *build_page_headers()))
    def show_page(request: AnonymousRequest) -> Response:
        """Return this description as a page."""
        headers = {"Content-Type": "text/html; charset=utf-8", **build_page_headers(_hash_page_script())}
        return _respond_with_file(request, "page.html", headers)

    @routes.route("/healthz", methods=["GET"], content_types=[])
    @public_endpoint(routes, responses={200: HealthView})
    def show_health(request: AnonymousRequest) -> Response:
        """Check that the API answers. No store is read."""
        _ = container.settings  # Raises SettingsIncomplete.
        return json_response(HealthView(status="ok"))

    return routes


def _respond_with_file(request: AnonymousRequest, name: str, headers: dict[str, str]) -> Response:
    text, etag = _read_with_etag(name)
    return respond_unless_known(request, text, headers, etag=etag, cache_control=_CACHE_CONTROL)


@cache
def _read_with_etag(name: str) -> tuple[str, str]:
    content = (_DIRECTORY / name).read_bytes()
    return content.decode(), compute_etag(content)


@cache
def _hash_page_script() -> str:
    """Return the hash of the page's only script as a content security policy names it."""
    page, _ = _read_with_etag("page.html")
    script = page.partition(_SCRIPT_START)[2].partition(_SCRIPT_END)[0]
    return f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}"
