"""The files of the web app and the console over HTTP. `site.py` says how a file gets its address."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib.http.endpoints import AnonymousRequest, BytesResponse, public_endpoint, respond_unless_known
from chalicelib.http.negotiation import accepts_gzip
from chalicelib.web.errors import FileUnknown

if TYPE_CHECKING:
    from chalicelib.container import Container
    from chalicelib.web.site import Site, StaticFile

# Everything comes from this address, nothing is inline. A service worker has the policy of its own answer.
_POLICY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
}
# Relative to the service worker. Without it, the worker's scope would be the paths below `/app/`.
_SCOPE = {"Service-Worker-Allowed": "../app"}
_ASK_EACH_TIME, _KEEP = "no-cache", "public, max-age=31536000, immutable"
_FILE_HEADERS = ("Content-Encoding", "Vary")
_TOP_HEADERS = ("ETag", *_FILE_HEADERS, *_POLICY)
_OTHER_FILE_TYPES = ("text/css", "application/json", "image/png", "image/svg+xml")


def blueprint(_container: "Container") -> Blueprint:
    routes = Blueprint(__name__)
    _add_app_routes(routes)
    _add_console_routes(routes)
    return routes


def _add_app_routes(routes: Blueprint) -> None:
    @routes.route("/app", methods=["GET"], content_types=[])
    @public_endpoint(routes, responses={200: "text/html", 304: None}, headers=_TOP_HEADERS)
    def open_app(request: AnonymousRequest) -> Response:
        """Return the page of the web app."""
        return _respond_with_top_file(request, _load_app(), "index.html")

    @routes.route("/app/service-worker.js", methods=["GET"], content_types=[])
    @public_endpoint(routes, responses={200: "text/javascript", 304: None}, headers=(*_TOP_HEADERS, *_SCOPE))
    def load_service_worker(request: AnonymousRequest) -> Response:
        """Return the service worker of the web app, which may act for `/app` itself."""
        return _respond_with_top_file(request, _load_app(), "service-worker.js", _SCOPE)

    @routes.route("/app/manifest.webmanifest", methods=["GET"], content_types=[])
    @public_endpoint(routes, responses={200: "application/manifest+json", 304: None}, headers=_TOP_HEADERS)
    def load_manifest(request: AnonymousRequest) -> Response:
        """Return what a device needs to install the web app."""
        return _respond_with_top_file(request, _load_app(), "manifest.webmanifest")

    @routes.route("/app/{release}/{folder}/{file}", methods=["GET"], content_types=[])
    @public_endpoint(
        routes,
        responses={200: "text/javascript"},
        other_media_types=_OTHER_FILE_TYPES,
        refusals=(FileUnknown,),
        headers=_FILE_HEADERS,
    )
    def load_app_file(request: AnonymousRequest, release: str, folder: str, file: str) -> Response:
        """Return a script, style or picture of the web app. What has this address never changes."""
        return _respond_with_file(request, _load_app(), release, f"{folder}/{file}")


def _add_console_routes(routes: Blueprint) -> None:
    @routes.route("/console", methods=["GET"], content_types=[])
    @public_endpoint(routes, responses={200: "text/html", 304: None}, headers=_TOP_HEADERS)
    def open_console(request: AnonymousRequest) -> Response:
        """Return the page of the console, which asks for a manager's token and holds no figures."""
        return _respond_with_top_file(request, _load_console(), "index.html")

    @routes.route("/console/{release}/{folder}/{file}", methods=["GET"], content_types=[])
    @public_endpoint(
        routes,
        responses={200: "text/javascript"},
        other_media_types=_OTHER_FILE_TYPES,
        refusals=(FileUnknown,),
        headers=_FILE_HEADERS,
    )
    def load_console_file(request: AnonymousRequest, release: str, folder: str, file: str) -> Response:
        """Return a script, style or picture of the console. What has this address never changes."""
        return _respond_with_file(request, _load_console(), release, f"{folder}/{file}")


def _load_app() -> "Site":
    # Imported on first use: no other request needs it.
    from chalicelib.web.site import load_app_site

    return load_app_site()


def _load_console() -> "Site":
    from chalicelib.web.site import load_console_site

    return load_console_site()


def _respond_with_file(request: AnonymousRequest, site: "Site", release: str, name: str) -> Response:
    body, headers = _encode(request, site.get_file(release, name))
    return BytesResponse(body, {**headers, "Cache-Control": _KEEP}, 200)


def _respond_with_top_file(
    request: AnonymousRequest, site: "Site", name: str, headers: dict[str, str] | None = None
) -> Response:
    file = site.get_top_file(name)
    body, file_headers = _encode(request, file)
    all_headers = {**file_headers, **_POLICY, **(headers or {})}
    return respond_unless_known(request, body, all_headers, etag=file.etag, cache_control=_ASK_EACH_TIME)


def _encode(request: AnonymousRequest, file: "StaticFile") -> tuple[bytes, dict[str, str]]:
    """Return a file as the client can read it, with the headers that say so."""
    headers = {"Content-Type": file.media_type, "Vary": "Accept-Encoding"}
    if accepts_gzip(request.headers.get("accept-encoding", "")):
        return file.compressed, {**headers, "Content-Encoding": "gzip"}
    return file.content, headers
