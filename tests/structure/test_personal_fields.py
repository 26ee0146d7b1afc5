"""Each field of what is stored about a person is declared: what it tells, and what an erasure does to it.

A new field fails here until somebody has decided. That the values go is shown where the store is tested:
`edge/test_data_request_routes.py`, `edge/test_review_items.py`, `edge/test_searches.py`, `contracts`.
"""

from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from chalicelib.conversations.messages import ChatLink, ChatRecord, OutboxContent, OutboxEntry
from chalicelib.conversations.model import Acknowledgement, OfficerMessage, Prompt, Session
from chalicelib.conversations.sends import ChatSend
from chalicelib.corrections import fields as correction_fields
from chalicelib.corrections.fields import PATHS
from chalicelib.photos.model import StoredPhoto
from chalicelib.registrations.corrections import Correction, CorrectionState, delete_identity
from chalicelib.registrations.worker import Recipient, RetainedWork, Work, Worker
from chalicelib.reviews.model import Finding, ReviewedRegistration, ReviewItem, ReviewSubject
from chalicelib.searches.lookups import LookupEntry

# What a field tells. Sealed fields hold a person's data; an erasure deletes them with their item or by name.
# Linked fields lead to a person, by a reference, id or keyed hash; they go with the item, or lead nowhere
# when the registration is erased. Plain fields tell nothing of a person.
SEALED, LINKED, PLAIN = "sealed", "linked", "plain"

FATES: dict[type, dict[str, str]] = {
    # In the registration's item, which is sealed.
    Correction: {
        "correction_id": LINKED,
        "fingerprint": LINKED,
        "state": PLAIN,
        "fields": PLAIN,
        "reason": SEALED,
        "client_id": PLAIN,
        "occurred_at": PLAIN,
        "before": SEALED,
        "wanted": SEALED,
        "decided_by": PLAIN,
        "decided_at": PLAIN,
    },
    ReviewItem: {
        "item_id": LINKED,
        "campaign_id": PLAIN,
        "kind": PLAIN,
        "state": PLAIN,
        "opened_at": PLAIN,
        "day": PLAIN,
        "registrations": LINKED,
        "client_id": PLAIN,
        "sponsor_id": PLAIN,
        "figures": PLAIN,
        "note": SEALED,
        "chat_key": LINKED,
        "changed_by": PLAIN,
        "changed_at": PLAIN,
    },
    Finding: {
        "campaign_id": PLAIN,
        "kind": PLAIN,
        "subject": LINKED,
        "day": PLAIN,
        "figures": PLAIN,
        "note": SEALED,
    },
    ReviewSubject: {
        "key": LINKED,
        "references": LINKED,
        "client_id": PLAIN,
        "sponsor_id": PLAIN,
        "chat_key": LINKED,
    },
    ReviewedRegistration: {"reference": LINKED, "day": PLAIN},
    LookupEntry: {"reference": LINKED, "campaign_id": PLAIN, "day": PLAIN, "worker_key": LINKED},
    # The picture itself is an object of its own, encrypted by the bucket's key; its name is the capture's id.
    StoredPhoto: {
        "capture_id": LINKED,
        "stored_at": PLAIN,
        "size": PLAIN,
        "url": LINKED,
        "url_expires_at": PLAIN,
    },
    ChatSend: {
        "state": PLAIN,
        "revision": PLAIN,
        "attempts": PLAIN,
        "touched_at": PLAIN,
        "reason": PLAIN,
        "chat_key": LINKED,
        "outbox_id": LINKED,
        "channel": PLAIN,
        "created_at": PLAIN,
        "campaign_day": PLAIN,
        "provider_id": LINKED,
        "fingerprint": LINKED,
    },
    OutboxEntry: {"version": PLAIN, "chat_key": LINKED, "outbox_id": LINKED},
    # For a person's own request for their data; it is in no store.
    ChatRecord: {
        "kind": PLAIN,
        "channel": PLAIN,
        "answers": SEALED,
        "text": SEALED,
        "review_item": LINKED,
    },
}

# Sealed as a whole, whatever fields they get.
SEALED_WHOLE = (Session, OutboxContent, ChatLink, Prompt, OfficerMessage, Acknowledgement)

# Fields of a registration that a correction may change: deleted with the identity, kept until an erasure
# because SMS and claims need them, or no person's.
DELETED_WITH_IDENTITY = {
    "worker.nik",
    "worker.birth_date",
    "worker.email",
    "worker.address",
    "work.monthly_income",
}
KEPT_UNTIL_ERASURE = {"worker.name", "worker.phone", "worker.postal_code", "worker.language", "work.place"}
NOT_PERSONAL = {
    *("work.occupations", "work.employs_others"),
    *("coverage.programmes", "coverage.months", "coverage.payer", "coverage.sponsor_id"),
}

CORRECTION = Correction(
    correction_id="01927c7e-0000-7000-8000-000000000001",
    fingerprint="f",
    state=CorrectionState.APPLIED,
    fields=("worker.phone",),
    reason="salah ketik",
    client_id="branch-office",
    occurred_at=datetime(2024, 10, 9, tzinfo=UTC),
)


def list_fields(model: type) -> set[str]:
    if issubclass(model, BaseModel):
        return set(model.model_fields)
    assert is_dataclass(model)
    return {each.name for each in fields(model)}


@pytest.mark.parametrize("model", FATES, ids=lambda model: model.__name__)
def test_every_field_of_what_is_stored_of_a_person_is_declared(model: type) -> None:
    assert list_fields(model) == set(FATES[model])
    assert set(FATES[model].values()) <= {SEALED, LINKED, PLAIN}


def test_every_model_of_a_chat_that_holds_what_was_said_is_sealed_whole() -> None:
    """A message of the outbox is one of these; each is within what `build_outbox_values` seals."""
    assert {Prompt, OfficerMessage, Acknowledgement} == set(
        OutboxContent.model_fields["message"].annotation.__args__  # type: ignore[union-attr]
    )
    assert set(SEALED_WHOLE).isdisjoint(FATES)


def test_every_field_that_a_correction_may_change_is_declared() -> None:
    declared = [*DELETED_WITH_IDENTITY, *KEPT_UNTIL_ERASURE, *NOT_PERSONAL]
    assert sorted(PATHS.values()) == sorted(declared)


def test_the_identity_is_what_a_paid_worker_loses_first() -> None:
    lost = {f"worker.{name}" for name in list_fields(Worker) - list_fields(Recipient)}
    lost |= {f"work.{name}" for name in list_fields(Work) - list_fields(RetainedWork)}
    assert lost == DELETED_WITH_IDENTITY
    # What stands for it where the rules judge a correction of the rest.
    assert set(correction_fields._PLACEHOLDERS) == lost


@given(
    before=st.sets(st.sampled_from(sorted(PATHS.values()))),
    wanted=st.sets(st.sampled_from(sorted(PATHS.values()))),
)
def test_with_the_identity_its_values_leave_the_corrections_and_no_other(
    before: set[str], wanted: set[str]
) -> None:
    def fill(paths: set[str]) -> dict[str, Any]:
        return dict.fromkeys(paths, "x")

    state = CorrectionState.REQUESTED if wanted else CorrectionState.APPLIED
    (kept,) = delete_identity([replace(CORRECTION, state=state, before=fill(before), wanted=fill(wanted))])

    assert set(kept.before) == before - DELETED_WITH_IDENTITY
    assert set(kept.wanted) == (set() if wanted & DELETED_WITH_IDENTITY else wanted)
    assert (kept.state is CorrectionState.WITHDRAWN) == bool(wanted & DELETED_WITH_IDENTITY)
