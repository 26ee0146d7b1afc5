"""What analysts are given of a campaign day: a row for each capture, and a manifest that vouches for them.

A row holds facts of the capture and nothing of its worker but sex and a band of ten years. Its id is a keyed
hash, another one in each campaign; the officer's too. That is pseudonymous, not anonymous: rare facts
together may still single somebody out, so the rows stay within the house.
"""

import json
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict

from chalicelib.campaigns.model import CampaignDay
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.registrations.captures import CaptureFacts, DayFact
from chalicelib.rollups.model import Counts

# Another number where a field goes or changes its meaning; a new field is none.
SCHEMA_VERSION = 1

_ID_LENGTH = 32
_OFFICER_ID_LENGTH = 12


class ExportFile(BaseModel):
    """One object with rows."""

    model_config = ConfigDict(frozen=True)

    key: str
    rows: int
    bytes: int
    sha256: str


class Manifest(BaseModel):
    """What the export of a day consists of. Its counts are those of the summary, and of the rows."""

    model_config = ConfigDict(frozen=True)

    schema_version: int = SCHEMA_VERSION
    campaign_id: str
    day: date
    version: int
    counted_at: str
    content_hash: str
    counts: Counts
    files: list[ExportFile]


def format_row(fact: DayFact, facts: CaptureFacts, campaign_day: CampaignDay, hashing: KeyedHash) -> bytes:
    """A capture as a line of JSON.

    Of a worker who was erased only what makes the totals whole is left, with no id: the facts together would
    go on singling out somebody who asked not to be kept.
    """
    values: dict[str, Any] = {"id": None, "outcome": facts.outcome, "channel": facts.channel}
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
            "received_on": None if facts.received_on is None else facts.received_on.isoformat(),
            "reasons": list(facts.reasons),
            "flags": list(facts.flags),
        }
    return json.dumps(values, separators=(",", ":"), sort_keys=True).encode()


def _pseudonymise_officer(facts: CaptureFacts, campaign_day: CampaignDay, hashing: KeyedHash) -> str | None:
    if facts.officer is None:
        return None
    return hashing.digest(f"export officer {campaign_day.campaign_id}", facts.officer)[:_OFFICER_ID_LENGTH]
