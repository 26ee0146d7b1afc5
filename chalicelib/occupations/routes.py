"""The list of occupations over HTTP: the same for everybody, so that devices and proxies may keep it."""

from functools import cache
from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib.http.endpoints import AnonymousRequest, public_endpoint, respond_unless_known
from chalicelib.http.etags import compute_etag
from chalicelib.occupations.model import load_occupations
from chalicelib.occupations.schemas import OccupationsView

if TYPE_CHECKING:
    from chalicelib.container import Container

# For so long after a deployment a client may show the old list.
_CACHE_CONTROL = "public, max-age=3600"
_HEADERS = {"Content-Type": "application/json"}


def blueprint(_: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/occupations", methods=["GET"], content_types=[])
    @public_endpoint(routes, responses={200: OccupationsView, 304: None}, headers=("ETag",))
    def list_occupations(request: AnonymousRequest) -> Response:
        """List every occupation, with search words for a field in which people type.

        An id that was published never changes its meaning.
        """
        body, etag = _serialize_list()
        return respond_unless_known(request, body, _HEADERS, etag=etag, cache_control=_CACHE_CONTROL)

    return routes


@cache
def _serialize_list() -> tuple[str, str]:
    body = OccupationsView(occupations=tuple(load_occupations().values())).model_dump_json()
    return body, compute_etag(body.encode())
