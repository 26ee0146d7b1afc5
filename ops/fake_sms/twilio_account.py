"""The one account of the Twilio-compatible side, and the signature that its callbacks carry."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

ACCOUNT_SID = "AC0000000000000000000000000000da17"
# It opens this stand-in and nothing else.
AUTH_TOKEN = "the-stand-in-has-no-secrets"  # noqa: S105


def sign_form(url: str, form: Mapping[str, str]) -> str:
    """`X-Twilio-Signature` of a form posted to a URL."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(AUTH_TOKEN.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
