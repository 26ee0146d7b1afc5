"""The store of links and of what phones registered by them, on each engine."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.clients.errors import LinkUsed
from chalicelib.enrolments.errors import EnrolmentCodeUnknown
from chalicelib.enrolments.links import Link
from chalicelib.enrolments.store_links import DynamoLinks
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.payloads import make_capture_id

LINK = Link("web-1", is_reusable=False, expires_at=NOW + timedelta(days=7))
CODE = "c" * 64
ONE, ANOTHER = make_capture_id(1), make_capture_id(2)


@pytest.fixture
def links(engine: Engine) -> DynamoLinks:
    return DynamoLinks(engine.client, engine.create_table("ClientsTable"))


@pytest.mark.parametrize("link", [LINK, replace(LINK, is_reusable=True)], ids=["for one", "for many"])
def test_a_link_comes_back_until_it_expires(links: DynamoLinks, link: Link) -> None:
    links.add(CODE, link)
    assert links.find(CODE, now=NOW) == link
    with pytest.raises(EnrolmentCodeUnknown):
        links.find(CODE, now=link.expires_at)
    with pytest.raises(EnrolmentCodeUnknown):
        links.find("d" * 64, now=NOW)


def test_a_link_for_one_is_used_by_one_phone_however_often(links: DynamoLinks) -> None:
    links.add(CODE, LINK)
    links.mark_used(CODE, "one")
    links.mark_used(CODE, "one")
    with pytest.raises(EnrolmentCodeUnknown):
        links.mark_used(CODE, "another")


def test_a_phone_registers_one_capture_however_often(links: DynamoLinks) -> None:
    assert links.claim("phone", ONE, now=NOW)
    assert not links.claim("phone", ONE, now=NOW)
    with pytest.raises(LinkUsed):
        links.claim("phone", ANOTHER, now=NOW)
    assert links.claim("another phone", ANOTHER, now=NOW)


def test_a_capture_that_was_released_leaves_room_for_another(links: DynamoLinks) -> None:
    links.claim("phone", ONE, now=NOW)
    links.release("phone", ONE)
    assert links.claim("phone", ANOTHER, now=NOW)
    links.release("phone", ONE)
    with pytest.raises(LinkUsed):
        links.claim("phone", ONE, now=NOW)


def test_links_and_claims_expire_from_the_table(links: DynamoLinks, engine: Engine) -> None:
    links.add(CODE, LINK)
    links.claim("phone", ONE, now=NOW)
    expiring = {int(item["expires_at"]["N"]) for item in engine.scan_items()}
    assert expiring == {int(LINK.expires_at.timestamp()), int((NOW + timedelta(days=3)).timestamp())}
