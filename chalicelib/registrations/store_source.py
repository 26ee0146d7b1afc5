"""The metadata of a stored capture, and its source, which is kept when the capture is erased."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.callers import CHANNELS_BY_ROLE, Channel, Disclosure, Role
from chalicelib.clock import from_optional_timestamp, to_timestamp
from chalicelib.registrations.capture_metadata import CaptureMetadata
from chalicelib.registrations.capture_source import CaptureSource
from chalicelib.registrations.latest_capture import LatestCapture


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


def parse_latest_capture(values: Mapping[str, Any]) -> LatestCapture:
    """Return what a stored capture tells of its device, also an erased one."""
    skew = values.get("clock_skew")
    return LatestCapture(
        campaign_id=values["campaign_id"],
        received_at=from_optional_timestamp(values.get("received_at")),
        clock_skew=None if skew is None else int(skew),
        app_version=values.get("app_version"),
    )


def build_capture_metadata(capture_metadata: CaptureMetadata) -> Values:
    """Return capture metadata as values, without empty ones."""
    values = {
        **vars(capture_metadata),
        "day": capture_metadata.day.isoformat(),
        "captured_at": to_timestamp(capture_metadata.captured_at),
        "received_at": to_timestamp(capture_metadata.received_at),
    }
    return {name: value for name, value in values.items() if value is not None}


def parse_capture_metadata(values: Mapping[str, Any]) -> CaptureMetadata:
    """Return the metadata of a stored capture or registration."""
    sequence, skew = values.get("device_sequence"), values.get("clock_skew")
    return CaptureMetadata(
        capture_id=values["capture_id"],
        campaign_id=values["campaign_id"],
        day=date.fromisoformat(values["day"]),
        captured_at=datetime.fromisoformat(values["captured_at"]),
        received_at=datetime.fromisoformat(values["received_at"]),
        client_id=values["client_id"],
        channel=Channel(values["channel"]),
        disclosure=parse_disclosure(values),
        officer=values.get("officer"),
        correlation_id=values["correlation_id"],
        device_sequence=None if sequence is None else int(sequence),
        clock_skew=None if skew is None else int(skew),
        app_version=values.get("app_version"),
        rescued_by=values.get("rescued_by"),
    )
