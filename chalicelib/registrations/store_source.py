"""The source of a stored capture, which is kept when the capture is erased."""

from collections.abc import Mapping
from typing import Any

from chalicelib.callers import CHANNELS_BY_ROLE, Disclosure, Role
from chalicelib.registrations.capture_source import CaptureSource


def parse_disclosure(capture_metadata: Mapping[str, Any]) -> Disclosure:
    """Return the disclosure of a stored capture.

    A capture of an earlier release has none: it counts as PUBLIC unless its channel is an officer's.
    """
    if "disclosure" in capture_metadata:
        return Disclosure(capture_metadata["disclosure"])
    is_officer = capture_metadata.get("channel") in CHANNELS_BY_ROLE[Role.KIOSK]
    return Disclosure.OFFICER if is_officer else Disclosure.PUBLIC


def parse_capture_source(capture_metadata: Mapping[str, Any]) -> CaptureSource:
    """Return the source of a stored capture, also of an erased one."""
    return CaptureSource(
        client_id=capture_metadata["client_id"],
        campaign_id=capture_metadata["campaign_id"],
        disclosure=parse_disclosure(capture_metadata),
    )
