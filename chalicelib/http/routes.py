"""Public routes: the API's description, the same as a page, and a health check.

The description and the page are files that `make api` writes from the routes and their models. The health
check reads no store: it would take the API out of service whenever a store is slow for a moment.
"""

from functools import cache
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

# The page has an inline style and loads nothing.
_PAGE_HEADERS = build_page_headers()


class HealthView(BaseModel):
    """The API answers, and knows what stage it is part of."""

    status: Literal["ok"]


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/openapi.json", methods=["GET"], content_types=[])
    @public_endpoint(routes, responses={200: "application/json", 304: None}, headers=("ETag",))
    def show_description(request: AnonymousRequest) -> Response:
        """This description, as OpenAPI 3.1."""
        return _respond_with_file(request, "openapi.json", {"Content-Type": "application/json"})

    @routes.route("/docs", methods=["GET"], content_types=[])
    @public_endpoint(routes, responses={200: "text/html", 304: None}, headers=("ETag", *_PAGE_HEADERS))
    def show_page(request: AnonymousRequest) -> Response:
        """The same as a page to read; it loads nothing from elsewhere and runs no script."""
        return _respond_with_file(
            request, "page.html", {"Content-Type": "text/html; charset=utf-8", **_PAGE_HEADERS}
        )

    @routes.route("/healthz", methods=["GET"], content_types=[])
    @public_endpoint(routes, responses={200: HealthView})
    def show_health(request: AnonymousRequest) -> Response:
        """Whether the API answers. No store is asked."""
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
