"""A phone with ODK Collect, as far as a server can tell: its requests, and what it makes of the answers.

After Collect's OpenRosaFormSource and OpenRosaServerInstanceUploader. Nothing here knows the server: all URLs
but the first come from its answers.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import md5
from uuid import uuid4
from xml.etree import ElementTree

_LIST = "{http://openrosa.org/xforms/xformsList}"
_MANIFEST = "{http://openrosa.org/xforms/xformsManifest}"
_RESPONSE = "{http://openrosa.org/http/response}"
# Collect's own limit where the server names none.
_DEFAULT_LIMIT = 10_000_000


@dataclass(frozen=True)
class Reply:
    """An answer of the server, with its headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Transport = Callable[[str, str, Mapping[str, str], bytes], Reply]
"""Sends method, URL, headers and body. Raises ConnectionError if no answer came."""


class PhoneError(Exception):
    """The message that Collect shows instead of doing what was asked."""


@dataclass(frozen=True)
class PhoneForm:
    """A form on the phone, with the files that it needs."""

    form_id: str
    version: str
    name: str
    content: bytes
    media: Mapping[str, bytes]


@dataclass
class PhoneInstance:
    """A filled form on the phone."""

    xml: bytes
    attachments: Mapping[str, bytes] = field(default_factory=dict)
    is_sent: bool = False
    message: str = ""


class CollectPhone:
    """A phone whose project has the URL of a QR code."""

    def __init__(self, server_url: str, transport: Transport, *, language: str = "id") -> None:
        self.server_url = server_url
        self._transport = transport
        self._language = language
        self.forms: dict[str, PhoneForm] = {}
        self.instances: list[PhoneInstance] = []
        self.requests: list[tuple[str, str]] = []

    def refresh_forms(self) -> None:
        """Do as `match_exactly` does: keep the forms of the server and no other. Raise PhoneError."""
        listed = self._read_list(self._get(f"{self.server_url}/formList"))
        self.forms = {form.form_id: form for form in map(self._download, listed)}

    def _download(self, listed: Mapping[str, str]) -> PhoneForm:
        content = self._get(listed["downloadUrl"]).body
        _require_hash(content, listed["hash"])
        return PhoneForm(
            listed["formID"],
            listed["version"],
            listed["name"],
            content,
            dict(self._download_media(listed["manifestUrl"])),
        )

    def _download_media(self, manifest_url: str) -> Iterator[tuple[str, bytes]]:
        manifest = ElementTree.fromstring(self._get(manifest_url).body)  # noqa: S314 - from our own server
        assert manifest.tag == f"{_MANIFEST}manifest"
        for file in manifest.iter(f"{_MANIFEST}mediaFile"):
            listed = _read_children(file, _MANIFEST)
            content = self._get(listed["downloadUrl"]).body
            _require_hash(content, listed["hash"])
            yield listed["filename"], content

    def _get(self, url: str) -> Reply:
        reply = self._send("GET", url)
        if reply.status != 200:
            raise PhoneError(f"HTTP {reply.status}: {_read_message(reply)}")
        return reply

    def _read_list(self, reply: Reply) -> list[dict[str, str]]:
        # Without the header Collect takes the server for one of before OpenRosa.
        if reply.headers.get("x-openrosa-version") != "1.0":
            raise PhoneError("not an OpenRosa server")
        if not reply.headers.get("content-type", "").lower().startswith("text/xml"):
            raise PhoneError("a list of forms that is no XML: a network that asks to sign in?")
        root = ElementTree.fromstring(reply.body)  # noqa: S314 - from our own server
        assert root.tag == f"{_LIST}xforms"
        return [_read_children(form, _LIST) for form in root.iter(f"{_LIST}xform")]

    def finalize(self, xml: str, attachments: Mapping[str, bytes] | None = None) -> PhoneInstance:
        """Keep a filled form, ready to send."""
        instance = PhoneInstance(xml.encode(), attachments or {})
        self.instances.append(instance)
        return instance

    def send_all(self) -> None:
        """Send what is not sent, one after another. What fails stays, with its message."""
        for instance in self.instances:
            if not instance.is_sent:
                try:
                    instance.message = self._upload(instance)
                    instance.is_sent = True
                except (PhoneError, ConnectionError) as error:
                    instance.message = str(error)

    def _upload(self, instance: PhoneInstance) -> str:
        url = f"{self.server_url}/submission"
        limit = self._ask_for_limit(url)
        message = ""
        for body, content_type in _split(instance, limit):
            reply = self._send("POST", url, {"Content-Type": content_type}, body)
            if reply.status == 200:
                raise PhoneError("a network that asks to sign in?")
            if reply.status not in {201, 202}:
                raise PhoneError(_read_message(reply) or f"HTTP {reply.status}")
            message = _read_message(reply)
        return message

    def _ask_for_limit(self, url: str) -> int:
        reply = self._send("HEAD", url)
        if reply.status == 401:
            raise PhoneError("asks for a password")
        if reply.status == 204:
            assert "location" not in reply.headers
            return int(reply.headers.get("x-openrosa-accept-content-length", _DEFAULT_LIMIT))
        if 200 <= reply.status < 300:
            raise PhoneError("a network that asks to sign in?")
        return _DEFAULT_LIMIT

    def _send(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Reply:
        self.requests.append((method, url))
        sent = {
            "X-OpenRosa-Version": "1.0",
            "Accept-Language": self._language,
            "User-Agent": "org.odk.collect.android/v2026.3",
            **(headers or {}),
        }
        return self._transport(method, url, sent, body)


def _split(instance: PhoneInstance, limit: int) -> Iterator[tuple[bytes, str]]:
    """Yield the requests for an instance: each has the form, and as many files as fit."""
    waiting = list(instance.attachments.items())
    while True:
        fitting: list[tuple[str, bytes]] = []
        size = len(instance.xml)
        while waiting and (not fitting or size + len(waiting[0][1]) <= limit):
            fitting.append(waiting.pop(0))
            size += len(fitting[-1][1])
        yield make_multipart(instance.xml, fitting, is_incomplete=bool(waiting))
        if not waiting:
            return


def make_multipart(
    xml: bytes, files: list[tuple[str, bytes]] | None = None, *, is_incomplete: bool = False
) -> tuple[bytes, str]:
    """Return the body of one request, as OkHttp writes it, and its media type."""
    boundary = str(uuid4())
    parts = [("xml_submission_file", "submission.xml", "text/xml", xml)]
    parts += [(name, name, "image/jpeg", content) for name, content in files or []]
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        f"Content-Type: {media_type}\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, filename, media_type, content in parts
    )
    if is_incomplete:
        body += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="*isIncomplete*"\r\n\r\nyes\r\n'.encode()
        )
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _read_children(element: ElementTree.Element, namespace: str) -> dict[str, str]:
    return {child.tag.removeprefix(namespace): child.text or "" for child in element}


def _read_message(reply: Reply) -> str:
    """Return the message of an OpenRosa response; nothing if the answer is something else."""
    try:
        root = ElementTree.fromstring(reply.body)  # noqa: S314 - from our own server
    except ElementTree.ParseError:
        return ""
    return root.findtext(f"{_RESPONSE}message", "") if root.tag == f"{_RESPONSE}OpenRosaResponse" else ""


def _require_hash(content: bytes, expected: str) -> None:
    found = f"md5:{md5(content, usedforsecurity=False).hexdigest()}"
    if found != expected:
        raise PhoneError("a file with another hash than its list says")
