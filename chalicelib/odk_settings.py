"""The settings of ODK Collect that the QR code of an enrolment holds. Pure."""

import json
import zlib
from base64 import b64encode

_APP_LANGUAGE = "in"  # Android's code for Indonesian.


def find_server_url(app_url: str, token: str) -> str:
    """Return the URL that Collect keeps as its server, from that of the web app beside it."""
    return f"{app_url.rsplit('/', 1)[0]}/odk/{token}"


def build_settings_code(server_url: str, project_name: str) -> str:
    """Return the text of the QR code that makes a project in Collect: JSON, compressed, as base64.

    Whoever reads the code has the device's token.
    """
    settings = {
        "general": {
            "protocol": "odk_default",
            "server_url": server_url,
            "form_update_mode": "match_exactly",
            "autosend": "wifi_and_cellular",
            "app_language": _APP_LANGUAGE,
        },
        # No password: who holds the phone may change its settings.
        "admin": {},
        "project": {"name": project_name},
    }
    return b64encode(zlib.compress(json.dumps(settings).encode(), 9)).decode()
