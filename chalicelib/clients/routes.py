"""Clients over HTTP: for admins, and for whoever asks about itself."""

from datetime import datetime
from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response
from pydantic import BaseModel

from chalicelib.callers import Role
from chalicelib.clients.errors import ClientExists, ClientRevoked, ClientUnknown
from chalicelib.clients.schemas import CallerView, ClientView, EnrolClient, ListClients, RotateToken
from chalicelib.http.endpoints import Request, endpoint, json_response
from chalicelib.http.pagination import CursorInvalid, from_cursor, to_cursor
from chalicelib.refusals import RulesBroken

if TYPE_CHECKING:
    from chalicelib.container import Container


class EnrolledView(ClientView):
    """A new client with its token, which is shown only once."""

    token: str


class RotatedView(EnrolledView):
    """A client with its new token, which is shown only once, and the time at which its older tokens end."""

    older_tokens_end_at: datetime


class ClientsView(BaseModel):
    """A page of clients, by id; `cursor` asks for the next one."""

    clients: list[ClientView]
    cursor: str | None


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/clients", methods=["POST"], content_types=[])
    @endpoint(
        routes,
        Role.ADMIN,
        body_model=EnrolClient,
        responses={201: EnrolledView},
        refusals=(ClientExists, RulesBroken),
    )
    def enrol_client(request: Request) -> Response:
        """Enrol a client and show its token, once."""
        client, token = container.clients.enrol(
            request.parse_body(EnrolClient), enrolled_by=request.caller.client_id
        )
        view = EnrolledView(**ClientView.from_client(client).model_dump(), token=token)
        return json_response(view, 201)

    @routes.route("/v1/clients", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.ADMIN,
        query_model=ListClients,
        responses={200: ClientsView},
        refusals=(CursorInvalid,),
    )
    def list_clients(request: Request) -> Response:
        """List a page of all clients, revoked ones too, by id."""
        query = request.parse_query(ListClients)
        start_after, _ = from_cursor(query.cursor)
        page = container.clients.list_page(start_after=start_after, page_size=query.size)
        clients = [ClientView.from_client(each) for each in page.rows]
        return json_response(ClientsView(clients=clients, cursor=to_cursor(page.next_position)))

    @routes.route("/v1/clients/{client_id}", methods=["GET"], content_types=[])
    @endpoint(routes, Role.ADMIN, responses={200: ClientView}, refusals=(ClientUnknown,))
    def show_client(request: Request, client_id: str) -> Response:
        """Show a client."""
        return json_response(ClientView.from_client(container.clients.get(client_id)))

    @routes.route("/v1/clients/{client_id}/token", methods=["POST"], content_types=[])
    @endpoint(
        routes,
        Role.ADMIN,
        body_model=RotateToken,
        responses={201: RotatedView},
        refusals=(ClientUnknown, ClientRevoked, RulesBroken),
    )
    def rotate_token(request: Request, client_id: str) -> Response:
        """Give a client a new token and show it, once; older ones end after a while."""
        client, token, older_end_at = container.clients.rotate(
            client_id, request.parse_body(RotateToken), rotated_by=request.caller.client_id
        )
        view = RotatedView(
            **ClientView.from_client(client).model_dump(), token=token, older_tokens_end_at=older_end_at
        )
        return json_response(view, 201)

    @routes.route("/v1/clients/{client_id}", methods=["DELETE"], content_types=[])
    @endpoint(routes, Role.ADMIN, Role.MANAGER, responses={204: None}, refusals=(ClientUnknown,))
    def revoke_client(request: Request, client_id: str) -> Response:
        """Revoke a client's tokens; they are refused within a minute.

        A manager may revoke kiosks and web clients whose campaigns are all the manager's.
        """
        container.clients.revoke_for(client_id, caller=request.caller)
        return Response("", {}, 204)

    @routes.route("/v1/caller", methods=["GET"], content_types=[])
    @endpoint(routes, *Role, responses={200: CallerView})
    def show_caller(request: Request) -> Response:
        """Show whose token this is: its client, roles and campaigns, and when the token ends."""
        client = container.clients.get(request.caller.client_id)
        return json_response(CallerView.build(request.caller, expires_at=client.expires_at))

    return routes
