"""Opt-outs of phone numbers: the first is kept, and a lifted one allows SMS again."""

from datetime import timedelta

import pytest

from chalicelib.messaging.opt_outs import OptOut
from tests.contracts.conftest import Engine
from tests.contracts.sms_ledger import committed, make_stores
from tests.support.builders import NOW
from tests.support.registration_builders import make_sms
from tests.support.sms_stores import SmsStores


@pytest.fixture
def stores(engine: Engine) -> SmsStores:
    return make_stores(engine)


def test_opt_out_is_found(stores: SmsStores) -> None:
    assert not stores.opt_outs.has_opted_out("hash of a phone")

    stores.opt_outs.record("hash of a phone", occurred_at=NOW, source="aws")

    assert stores.opt_outs.has_opted_out("hash of a phone")
    assert not stores.opt_outs.has_opted_out("another")


def test_first_opt_out_is_kept(stores: SmsStores) -> None:
    for hours in (0, 1):
        stores.opt_outs.record(
            "hash of a phone", occurred_at=NOW + timedelta(hours=hours), source=f"said {hours}"
        )

    assert stores.opt_outs.find("hash of a phone") == OptOut(NOW, "said 0")
    assert stores.opt_outs.find("another") is None


def test_lifted_opt_out_allows_claims_and_stays_stored(engine: Engine, stores: SmsStores) -> None:
    stores.opt_outs.record("hash of a phone", occurred_at=NOW, source="aws")
    at = NOW + timedelta(hours=1)

    assert stores.opt_outs.lift("hash of a phone", occurred_at=at, lifted_by="salemba") is True

    stores.claim(make_sms())
    assert committed(engine) == 350
    assert not stores.opt_outs.has_opted_out("hash of a phone")
    assert stores.opt_outs.find("hash of a phone") == OptOut(NOW, "aws", lifted_at=at, lifted_by="salemba")


def test_lift_without_an_opt_out_in_force_returns_false(stores: SmsStores) -> None:
    assert stores.opt_outs.lift("hash of a phone", occurred_at=NOW, lifted_by="salemba") is False
    assert stores.opt_outs.find("hash of a phone") is None

    stores.opt_outs.record("hash of a phone", occurred_at=NOW, source="aws")
    stores.opt_outs.lift("hash of a phone", occurred_at=NOW, lifted_by="salemba")
    assert (
        stores.opt_outs.lift("hash of a phone", occurred_at=NOW + timedelta(hours=1), lifted_by="senen")
        is False
    )
    assert stores.opt_outs.find("hash of a phone") == OptOut(NOW, "aws", NOW, "salemba")


@pytest.mark.parametrize(("minutes", "counts"), [(-1, False), (0, False), (1, True)])
def test_only_a_later_opt_out_replaces_a_lifted_one(stores: SmsStores, minutes: int, counts: bool) -> None:
    lifted_at = NOW + timedelta(hours=1)
    stores.opt_outs.record("hash of a phone", occurred_at=NOW, source="aws")
    stores.opt_outs.lift("hash of a phone", occurred_at=lifted_at, lifted_by="salemba")

    stores.opt_outs.record(
        "hash of a phone", occurred_at=lifted_at + timedelta(minutes=minutes), source="twilio"
    )

    assert stores.opt_outs.has_opted_out("hash of a phone") is counts
