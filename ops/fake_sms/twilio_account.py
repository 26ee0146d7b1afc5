"""The account of the fake Twilio gateway, and the signature of its callbacks."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

ACCOUNT_SID = "AC0000000000000000000000000000da17"
# Valid for the fake gateway only.
AUTH_TOKEN = "the-stand-in-has-no-secrets"  # noqa: S105


def sign_form(url: str, form: Mapping[str, str]) -> str:
    """Return the `X-Twilio-Signature` of a form that is posted to a URL."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(AUTH_TOKEN.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
