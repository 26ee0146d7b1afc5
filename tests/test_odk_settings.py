"""The QR code that sets up ODK Collect."""

import json
import zlib
from base64 import b64decode

from chalicelib.odk_settings import build_settings_code, find_server_url

TOKEN = "daftar_" + "a" * 43


def test_the_servers_url_stands_beside_the_web_app() -> None:
    assert (
        find_server_url("https://daftar.example/api/app", TOKEN) == f"https://daftar.example/api/odk/{TOKEN}"
    )


def test_the_code_is_compressed_settings_as_collect_reads_them() -> None:
    url = find_server_url("https://daftar.example/api/app", TOKEN)
    settings = json.loads(zlib.decompress(b64decode(build_settings_code(url, "Daftar van-1"), validate=True)))
    assert settings == {
        "general": {
            "protocol": "odk_default",
            "server_url": url,
            "form_update_mode": "match_exactly",
            "autosend": "wifi_and_cellular",
            "app_language": "in",
        },
        "admin": {},
        "project": {"name": "Daftar van-1"},
    }


def test_the_code_fits_a_qr_code_that_a_phone_reads_from_a_screen() -> None:
    url = find_server_url("https://" + "a" * 60 + ".execute-api.ap-southeast-3.amazonaws.com/api/app", TOKEN)
    assert len(build_settings_code(url, "Daftar " + "x" * 60)) < 600
