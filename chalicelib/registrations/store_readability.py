"""The check of an item of the registrations table: can it be read?"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from chalicelib.crypto.encryption import FieldCipher
from chalicelib.records import record_parser
from chalicelib.registrations.errors import CaptureErased, RegistrationDestroyed
from chalicelib.registrations.store_items import (
    parse_capture,
    parse_capture_facts,
    parse_registration,
    parse_registration_facts,
)
from chalicelib.registrations.store_keys import CAPTURE_SORT_KEY, REGISTRATION_SORT_KEY
from chalicelib.registrations.store_unusual import has_unusual_client_facts, parse_unusual_client_facts


@record_parser
def check_readable(values: Mapping[str, Any], cipher: FieldCipher) -> None:
    """Parse a capture, a registration, a remnant or an unusual client; any other item passes.

    Raise RecordUnreadable.
    """
    with suppress(CaptureErased, RegistrationDestroyed):
        if values["sk"] == CAPTURE_SORT_KEY:
            parse_capture(values, cipher)
        elif values["sk"] == REGISTRATION_SORT_KEY:
            parse_registration(values, cipher)
    facts = values.get("facts")
    if facts is None:
        return
    if "figures" in facts:
        parse_registration_facts(facts, values["pk"], cipher)
    elif has_unusual_client_facts(values):
        parse_unusual_client_facts(facts)
    else:
        parse_capture_facts(facts)
