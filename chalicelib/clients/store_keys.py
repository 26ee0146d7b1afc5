"""The keys of clients and tokens in their table."""

from chalicelib.aws.items import Values
from chalicelib.clients.service import TokenHash


def make_client_key(client_id: str) -> Values:
    """Return the key of a client's item."""
    return {"pk": f"CLIENT#{client_id}", "sk": "CLIENT"}


def make_token_key(token: TokenHash) -> Values:
    """Return the key of a token's item."""
    return {"pk": f"TOKEN#{token}", "sk": "TOKEN"}
