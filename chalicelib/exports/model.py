"""Exported data of a campaign day: a row for each capture, and a manifest with their counts and hashes.

A row holds facts of the capture, and of its worker only sex and an age band of ten years. Its id and the
officer's are keyed hashes that differ between campaigns. The rows are pseudonymous, not anonymous: a rare
combination of facts may identify a worker, so they are for internal use only.
"""

import json
from datetime import date
from typing import Any

from pydantic import Field

from chalicelib.campaigns.model import CampaignDay
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.models import FrozenModel
from chalicelib.registrations.captures import CaptureFacts, DayFact
from chalicelib.rollups.model import Counts

# Raised when a field is removed or changes its meaning, not when one is added.
SCHEMA_VERSION = 1

_ID_LENGTH = 32
_OFFICER_ID_LENGTH = 12


class ExportFile(FrozenModel):
    """One object that holds rows."""

    key: str
    rows: int
    bytes: int
    sha256: str


class StoredRows(FrozenModel):
    """The files with the rows of a day, as lines of JSON and, where the stage writes it, as Parquet."""

    files: list[ExportFile]
    parquet: list[ExportFile] = Field(default_factory=list)


class Manifest(FrozenModel):
    """The files of a day's export. Its counts are those of the summary, and of the rows that it can have.

    A capture that cannot be read any more has no row. `parquet` has the rows of `files` once more.
    """

    schema_version: int = SCHEMA_VERSION
    campaign_id: str
    day: date
    version: int
    counted_at: str
    content_hash: str
    counts: Counts
    files: list[ExportFile]
    parquet: list[ExportFile] = Field(default_factory=list)


def format_row(fact: DayFact, facts: CaptureFacts, campaign_day: CampaignDay, hashing: KeyedHash) -> bytes:
    """Return a capture as a line of JSON, without the line end.

    The row of an erased worker has no id, and only the facts that the totals need: more facts could identify
    the worker.
    """
    values: dict[str, Any] = {
        "id": None,
        "outcome": facts.outcome,
        "channel": facts.channel,
        "cancelled": facts.is_cancelled,
    }
    if fact.captured_at is not None:
        capture_id = fact.position.partition("#")[2]
        values |= {
            "id": hashing.digest(f"export {campaign_day.campaign_id}", capture_id)[:_ID_LENGTH],
            "client_id": facts.client_id,
            "officer": _pseudonymise_officer(facts, campaign_day, hashing),
            "occupations": list(facts.occupations),
            "programmes": list(facts.programmes),
            "sex": facts.sex,
            "age": facts.age,
            "hour": facts.hour,
            "sponsor": facts.sponsor,
            "without_phone": facts.is_without_phone,
            "received_on": None if facts.received_on is None else facts.received_on.isoformat(),
            "reasons": list(facts.reasons),
            "flags": list(facts.flags),
        }
    return json.dumps(values, separators=(",", ":"), sort_keys=True).encode()


def _pseudonymise_officer(facts: CaptureFacts, campaign_day: CampaignDay, hashing: KeyedHash) -> str | None:
    if facts.officer is None:
        return None
    return hashing.digest(f"export officer {campaign_day.campaign_id}", facts.officer)[:_OFFICER_ID_LENGTH]
