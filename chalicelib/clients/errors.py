"""What the clients package refuses.

Refusal
├── ClientUnknown    no client has this id
├── ClientExists     another client has this id already
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


class TokenUnknown(Refusal):
    """No client holds this token."""

    code = "token_missing_or_unknown"


class TokenRevoked(Refusal):
    """The token was revoked, or has expired."""

    code = "token_revoked"
