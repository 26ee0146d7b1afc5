"""Clients over HTTP, for admins."""

from chalice.app import Blueprint, Response
from pydantic import BaseModel

from chalicelib import wiring
from chalicelib.clients.messages import ClientView, EnrolClient
from chalicelib.clients.model import Role
from chalicelib.endpoints import Request, endpoint, json_response

routes = Blueprint(__name__)


class EnrolledView(ClientView):
    """A client just enrolled, with its token: the only time it is shown."""

    token: str


class ClientsView(BaseModel):
    """Every client."""

    clients: list[ClientView]


@routes.route("/v1/clients", methods=["POST"], content_types=[])
@endpoint(routes, Role.ADMIN)
def enrol_client(request: Request) -> Response:
    """Enrol a client and show its token, once."""
    client, token = wiring.registry().enrol(request.parsed(EnrolClient))
    view = EnrolledView(**ClientView.of(client).model_dump(), token=token)
    return json_response(view, 201, headers={"Cache-Control": "no-store"})


@routes.route("/v1/clients", methods=["GET"])
@endpoint(routes, Role.ADMIN)
def list_clients(request: Request) -> Response:
    """Every client, revoked ones too."""
    return json_response(ClientsView(clients=[ClientView.of(each) for each in wiring.registry().all()]))


@routes.route("/v1/clients/{client_id}", methods=["GET"])
@endpoint(routes, Role.ADMIN)
def show_client(request: Request, client_id: str) -> Response:
    """One client."""
    return json_response(ClientView.of(wiring.registry().get(client_id)))


@routes.route("/v1/clients/{client_id}", methods=["DELETE"])
@endpoint(routes, Role.ADMIN)
def revoke_client(request: Request, client_id: str) -> Response:
    """Revoke a client's token; it is refused within a minute."""
    wiring.registry().revoke(client_id)
    return Response("", {}, 204)
