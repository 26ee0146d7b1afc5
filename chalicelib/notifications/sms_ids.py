"""The id of an SMS, which follows from the event that calls for it: the same event always gives the same id.

It is a keyed hash, because gateways and logs have it: a reference has 39 bits, so that the plain hash of one
can be reversed by trying all of them.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from chalicelib.crypto.hashing import KeyedHash
from chalicelib.messaging.model import SmsId
from chalicelib.notifications.model import Sms
from chalicelib.sms_purposes import Purpose

_LENGTH = 32


def derive_sms_id(
    hashing: KeyedHash,
    reference: str,
    purpose: Purpose,
    template_version: int,
    event_version: int = 1,
    request_version: int | None = None,
) -> SmsId:
    """Return the id of the SMS for an event.

    `event_version` distinguishes repeated events of one purpose: it is the version of the registration's
    lifecycle that the event made. `request_version` distinguishes the SMS that were asked for once more.
    """
    name = _name_event(reference, purpose, template_version, event_version, request_version)
    return SmsId(hashing.digest("sms", name)[:_LENGTH])


def iter_earlier_sms_ids(hashing: KeyedHash, sms: Sms) -> Iterator[SmsId]:
    """Yield the other ids that the SMS for an event may have got: of former releases, and of former wordings.

    An event comes again after a release, by a restore or a redrive; its SMS was sent in the words of then.
    """
    yield derive_former_sms_id(sms)
    for version in range(sms.template_version - 1, 0, -1):
        yield derive_sms_id(
            hashing, sms.reference, sms.purpose, version, sms.event_version, sms.request_version
        )
        yield derive_former_sms_id(replace(sms, template_version=version))


def derive_former_sms_id(sms: Sms) -> SmsId:
    """Return the id that earlier releases gave an SMS: the plain hash of the same event."""
    name = _name_event(
        sms.reference, sms.purpose, sms.template_version, sms.event_version, sms.request_version
    )
    return SmsId(hashlib.sha256(name.encode()).hexdigest()[:_LENGTH])


def _name_event(
    reference: str, purpose: Purpose, template_version: int, event_version: int, request_version: int | None
) -> str:
    name = f"{reference}\x1f{purpose}\x1f{template_version}"
    if event_version > 1:
        name = f"{name}\x1f{event_version}"
    if request_version is not None:
        name = f"{name}\x1frequest {request_version}"
    return name
