"""Rescue files: what a device could not send, brought in by a manager."""

import binascii
from base64 import urlsafe_b64decode
from dataclasses import replace

from chalicelib.callers import EVERY_CAMPAIGN, Caller, Role
from chalicelib.clients.errors import ClientUnknown
from chalicelib.clients.service import ClientRegistry
from chalicelib.crypto.rescue import RescueKeys, RescueNotOpened, SealedRescue
from chalicelib.http.content_encoding import BodyTooLarge, GzipMalformed, decode_body
from chalicelib.rescues.errors import RescueUnreadable
from chalicelib.rescues.schemas import MAX_CONTENT_BYTES, RescueFile


class RescueService:
    """Opens rescue files, and finds the devices that made them."""

    def __init__(self, *, keys: RescueKeys, clients: ClientRegistry) -> None:
        self._keys = keys
        self._clients = clients

    def open(self, file: RescueFile) -> bytes:
        """Return the JSON in a rescue file. Raise RescueUnreadable."""
        try:
            packed = self._keys.open(
                SealedRescue(
                    key_id=file.key_id,
                    ephemeral_public_key=_decode(file.ephemeral_public_key),
                    nonce=_decode(file.nonce),
                    ciphertext=_decode(file.ciphertext),
                )
            )
            return decode_body(packed, "gzip", max_bytes=MAX_CONTENT_BYTES)
        except (RescueNotOpened, BodyTooLarge, GzipMalformed) as error:
            raise RescueUnreadable(str(error)) from None

    def get_device(self, client_id: str, *, caller: Caller) -> Caller:
        """Return the device that made a file, revoked or not, as the caller of its captures.

        It has those of its campaigns that are the manager's too. Raise ClientUnknown if there are none, or if
        it is no device of officers.
        """
        device = self._clients.get(client_id).caller
        campaigns = _find_shared(device.campaigns, caller.campaigns)
        if Role.KIOSK not in device.roles or not campaigns:
            raise ClientUnknown("not a device of the manager's campaigns")
        return replace(device, campaigns=campaigns)


def _find_shared(some: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    if EVERY_CAMPAIGN in some:
        return others
    return some if EVERY_CAMPAIGN in others else some & others


def _decode(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise RescueUnreadable("not base64url") from None
