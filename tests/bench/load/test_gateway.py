"""The gateway's account of a campaign, read while it grows."""

from pathlib import Path

import pytest

from bench.load.gateway import GatewayAccount
from ops.fake_sms.inbox import Inbox, ReceivedSms
from ops.fake_sms.server import FakeSmsServer
from tests.support.http_server import serve_in_background


def make_sms(phone: str, campaign_id: str = "market") -> ReceivedSms:
    return ReceivedSms(to=phone, text="Halo", context={"campaign_id": campaign_id})


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "sms.jsonl")


def test_every_sms_of_the_campaign_is_listed_once_however_often_it_is_asked_for(inbox: Inbox) -> None:
    with FakeSmsServer(0, inbox) as server, serve_in_background(server):
        account = GatewayAccount(server.url, "market")
        assert account.list_phones() == []
        inbox.add(make_sms("+6282455500001"))
        inbox.add(make_sms("+6282455500002", campaign_id="another"))
        assert account.list_phones() == ["+6282455500001"]
        inbox.add(make_sms("+6282455500001"))
        assert account.list_phones() == account.list_phones() == ["+6282455500001"] * 2
