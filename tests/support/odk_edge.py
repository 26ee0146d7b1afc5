"""A phone with ODK Collect against the app in process."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.support.collect_phone import CollectPhone, PhoneInstance, Reply, make_multipart
from tests.support.odk_instances import make_instance

if TYPE_CHECKING:
    from tests.edge.conftest import Edge

HOST = ""  # The client in process names no domain.
TANAH_ABANG = "tanah-abang-2024"


class EdgeTransport:
    """Sends requests to the app, and remembers the last answer."""

    def __init__(self, edge: "Edge") -> None:
        self._edge = edge
        self.last = Reply(0, {}, b"")

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        parts = urlsplit(url)
        assert (parts.scheme, parts.netloc) == ("https", HOST), url
        sent = {name.replace("-", "_"): value for name, value in headers.items()}
        response = self._edge.send(method, parts.path, body, caller=None, **sent)
        lowercased = {name.lower(): value for name, value in response.headers.items()}
        self.last = Reply(response.status_code, lowercased, response.body)
        return self.last


def make_phone(edge: "Edge", caller: str = "kiosk", *, language: str = "id") -> CollectPhone:
    """Return a phone with the token of an enrolled client."""
    url = f"https://{HOST}/odk/{edge.tokens[caller]}"
    return CollectPhone(url, EdgeTransport(edge), language=language)


class Field:
    """A phone with the form of the campaign, and what arrives at the server."""

    def __init__(self, edge: "Edge", caller: str = "kiosk", *, version: str | None = None) -> None:
        """Load the form, unless its version is given."""
        self.edge = edge
        self.caller = caller
        self.phone: CollectPhone = make_phone(edge, caller)
        if version is None:
            self.phone.refresh_forms()
            version = self.phone.forms[TANAH_ABANG].version
        self.version = version

    def fill(self, **answers: Any) -> str:
        return make_instance(self.version, **answers)

    def send(self, xml: str, attachments: dict[str, bytes] | None = None) -> PhoneInstance:
        """Send a filled form as a phone does."""
        instance = self.phone.finalize(xml, attachments)
        self.phone.send_all()
        return instance

    def post(self, xml: str, **headers: str) -> Reply:
        body, content_type = make_multipart(xml.encode())
        return self.post_bytes(body, content_type, **headers)

    def post_bytes(self, body: bytes, content_type: str, **headers: str) -> Reply:
        url = f"https://{HOST}/odk/{self.edge.tokens[self.caller]}/submission"
        sent = {"X-OpenRosa-Version": "1.0", "Content-Type": content_type, **headers}
        return EdgeTransport(self.edge)("POST", url, {k: v for k, v in sent.items() if v}, body)

    def find_capture(self, instance_id: str) -> dict[str, Any]:
        path = f"/v1/captures/{instance_id.removeprefix('uuid:')}"
        found: dict[str, Any] = self.edge.send("GET", path, caller=self.caller).json_body
        return found

    def list_registrations(self) -> list[dict[str, Any]]:
        path = f"/v1/registrations?campaign_id={TANAH_ABANG}&day=2024-10-09"
        found: list[dict[str, Any]] = self.edge.send("GET", path, caller="core").json_body["registrations"]
        return found
