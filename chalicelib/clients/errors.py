"""What the clients package refuses.

Refusal
├── ClientUnknown    no client has this id
├── ClientExists     another client has this id already
├── ClientRevoked    the client was revoked and gets no new token
├── ClientCapReached the client has had its day's number of captures accepted
├── TokenUnknown     no client holds this token
└── TokenRevoked     the token was revoked, or has expired
"""

from chalicelib.refusals import Refusal


class ClientUnknown(Refusal):
    """No client has this id."""

    code = "client_unknown"


class ClientExists(Refusal):
    """A client with this id is enrolled already; its token cannot be shown again."""

    code = "client_exists"


class ClientRevoked(Refusal):
    """The client was revoked; a token for the same device needs a new enrolment."""

    code = "client_revoked"


class ClientCapReached(Refusal):
    """This client has had as many captures accepted today as it may; nothing of this one was stored."""

    code = "client_cap_reached"


class TokenUnknown(Refusal):
    """No client holds this token."""

    code = "token_missing_or_unknown"


class TokenRevoked(Refusal):
    """The token was revoked, or has expired."""

    code = "token_revoked"
