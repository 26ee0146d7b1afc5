"""The audit trail over HTTP, for admins."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib.audit.model import Subject
from chalicelib.audit.schemas import AuditRecordsView, ListAuditRecords
from chalicelib.callers import Role
from chalicelib.http.endpoints import Request, endpoint, json_response
from chalicelib.http.pagination import CursorInvalid, from_cursor
from chalicelib.refusals import BrokenRule, RulesBroken

if TYPE_CHECKING:
    from chalicelib.container import Container


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/audit", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.ADMIN,
        query_model=ListAuditRecords,
        responses={200: AuditRecordsView},
        refusals=(CursorInvalid, RulesBroken),
    )
    def list_audit_records(request: Request) -> Response:
        """List who changed or read a record, or what a client did, oldest first."""
        query = request.parse_query(ListAuditRecords)
        start_after, _ = from_cursor(query.cursor)
        if query.subject is not None and query.client_id is None:
            page = container.audit.list_by_subject(
                Subject(query.subject), start_after=start_after, page_size=query.size
            )
        elif query.client_id is not None and query.subject is None:
            page = container.audit.list_by_client(
                query.client_id, start_after=start_after, page_size=query.size
            )
        else:
            raise RulesBroken(BrokenRule("subject", "subject_or_client"))
        return json_response(AuditRecordsView.from_page(page), exclude_defaults=True)

    return routes
