"""The forms that ODK Collect gets: one for each campaign of the device, with all that the form needs."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.campaigns.model import Campaign
from chalicelib.occupations.model import load_occupations
from tests.edge.conftest import Edge, LogOutput, dump_stored_state
from tests.support.collect_phone import CollectPhone, PhoneError
from tests.support.odk_edge import EdgeTransport, make_phone
from tests.support.payloads import make_campaign_payload
from tests.support.polling import wait_until

TANAH_ABANG = "tanah-abang-2024"


def open_campaign(edge: Edge, **changes: Any) -> None:
    edge.container.campaigns.open(Campaign.model_validate(make_campaign_payload(**changes)))


def list_rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


@pytest.fixture
def phone(edge: Edge) -> CollectPhone:
    phone = make_phone(edge)
    phone.refresh_forms()
    return phone


def test_a_device_gets_one_form_for_each_of_its_campaigns(edge: Edge) -> None:
    open_campaign(edge, campaign_id="senen-2024", name="Pasar Senen", accepts_until="2999-12-31")
    here, elsewhere, anywhere = (
        make_phone(edge, each) for each in ("kiosk", "kiosk elsewhere", "kiosk anywhere")
    )
    for phone in (here, elsewhere, anywhere):
        phone.refresh_forms()

    assert set(here.forms) == {TANAH_ABANG}
    assert set(elsewhere.forms) == {"senen-2024"}
    assert set(anywhere.forms) == {TANAH_ABANG, "senen-2024"}
    assert elsewhere.forms["senen-2024"].name == "Pasar Senen"


def test_a_campaign_that_takes_no_more_captures_has_no_form(edge: Edge) -> None:
    open_campaign(edge, campaign_id="senen-2024", accepts_until="2024-12-31")
    phone = make_phone(edge, "kiosk elsewhere")
    phone.refresh_forms()

    assert phone.forms == {}


def test_a_form_names_its_campaign_and_the_version_of_the_list(phone: CollectPhone) -> None:
    form = phone.forms[TANAH_ABANG]
    assert f'id="{TANAH_ABANG}" version="{form.version}"' in form.content.decode()
    assert "Aktivasi Pasar Tanah Abang" in form.content.decode()
    assert "@@" not in form.content.decode()


def test_a_changed_campaign_has_a_form_of_another_version_and_the_old_version_is_gone(edge: Edge) -> None:
    phone, transport = make_phone(edge), EdgeTransport(edge)
    phone.refresh_forms()
    before = phone.forms[TANAH_ABANG]
    old_url = next(url for _, url in phone.requests if url.endswith("/form"))

    edge.send("PATCH", f"/v1/campaigns/{TANAH_ABANG}", {"name": "Pasar <B> & 'C'"}, caller="manager")
    phone.refresh_forms()

    after = phone.forms[TANAH_ABANG]
    assert after.version != before.version
    assert after.content != before.content
    assert "Pasar &lt;B&gt; &amp; &#x27;C&#x27;" in after.content.decode()
    assert transport("GET", old_url, {}, b"").status == 404


def test_the_same_campaign_has_the_same_form_byte_for_byte(edge: Edge, phone: CollectPhone) -> None:
    again = make_phone(edge)
    again.refresh_forms()
    assert again.forms == phone.forms


def test_a_form_comes_with_every_file_that_it_names(phone: CollectPhone) -> None:
    form = phone.forms[TANAH_ABANG]
    named = set(re.findall(r"jr://file-csv/([a-z]+\.csv)", form.content.decode()))
    assert set(form.media) == named
    assert named == {"occupations.csv", "sponsors.csv", "incomes.csv", "prices.csv"}


def test_occupations_are_found_by_everyday_words(phone: CollectPhone) -> None:
    rows = list_rows(phone.forms[TANAH_ABANG].media["occupations.csv"])
    assert [row["name"] for row in rows if "kuli panggul" in row["label"]] == ["porter"]
    assert {row["name"]: row["sector"] for row in rows} == list_sectors()


def list_sectors() -> dict[str, str]:
    return {each.id: each.sector for each in load_occupations().values()}


def test_sponsors_of_the_campaign_can_be_chosen(edge: Edge) -> None:
    sponsors = [{"sponsor_id": "bank-contoh", "name": "Bank Contoh"}]
    edge.send("PATCH", f"/v1/campaigns/{TANAH_ABANG}", {"sponsors": sponsors}, caller="manager")
    phone = make_phone(edge)
    phone.refresh_forms()

    rows = list_rows(phone.forms[TANAH_ABANG].media["sponsors.csv"])
    assert rows == [{"name": "bank-contoh", "label": "Bank Contoh"}]


def test_prices_are_those_of_quotes_from_the_first_month(edge: Edge, phone: CollectPhone) -> None:
    media = phone.forms[TANAH_ABANG].media
    bands = {row["name"]: row for row in list_rows(media["incomes.csv"])}
    prices = {row["name"]: row for row in list_rows(media["prices.csv"])}
    occupations = {sector: occupation for occupation, sector in list_sectors().items()}
    assert len(prices) == len(bands) * 20 > 600

    for name, price in list(prices.items())[::17]:
        sector, programmes, months, band = name.split("-")
        for income in (int(bands[band]["income_from"]), int(bands[band]["income_below"]) - 1):
            quote = edge.send(
                "POST",
                "/v1/quotes",
                {
                    "monthly_income": income,
                    "occupations": [occupations[sector]],
                    "employs_others": False,
                    "programmes": programmes.split("_"),
                    "months": int(months),
                    "payer": "self",
                    "start_month": "2024-10",
                },
            )
            assert quote.json_body["total"] == int(price["total"]), name
            assert price["text"].replace(".", "") == f"Rp{price['total']}"


def test_a_head_request_for_the_list_is_answered_without_a_body(edge: Edge, phone: CollectPhone) -> None:
    transport = EdgeTransport(edge)
    url = phone.requests[0][1]
    reply = transport("HEAD", url, {}, b"")
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["x-openrosa-version"] == "1.0"
    assert reply.headers["content-type"] == "text/xml; charset=utf-8"


def enrol_revoked_and_expired(edge: Edge) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    edge.enrol("revoked", {"client_id": "revoked-1", "roles": ["kiosk"]})
    edge.enrol("expired", {"client_id": "expired-1", "roles": ["kiosk"], "expires_at": soon})
    edge.container.clients.revoke("revoked-1")
    wait_until("the token to expire", lambda: datetime.now(UTC) > soon)
    edge.tokens |= {"unknown": "daftar_" + "0" * 43, "short": "x"}


NO_DEVICES = ["bot", "manager", "core", "viewer", "admin", "revoked", "expired", "unknown", "short"]


def test_a_token_that_is_no_devices_is_refused_with_403_on_every_route_and_nothing_is_stored(
    edge: Edge, phone: CollectPhone, subtests: pytest.Subtests
) -> None:
    enrol_revoked_and_expired(edge)
    own = edge.tokens["kiosk"]
    requests = {*phone.requests, ("HEAD", phone.requests[0][1])}
    submission = phone.requests[0][1].replace("formList", "submission")
    requests |= {("HEAD", submission), ("POST", submission)}
    before = dump_stored_state()

    for caller in NO_DEVICES:
        for method, url in sorted(requests):
            with subtests.test(caller, method=method):
                reply = EdgeTransport(edge)(method, url.replace(own, edge.tokens[caller]), {}, b"")
                # Collect would ask for a password after a 401.
                assert reply.status == 403
                assert reply.headers["x-openrosa-version"] == "1.0"
                assert b"OpenRosaResponse" in reply.body

    assert dump_stored_state() == before


def test_a_form_of_another_campaign_is_unknown_like_one_that_does_not_exist(
    edge: Edge, phone: CollectPhone
) -> None:
    open_campaign(edge, campaign_id="senen-2024", accepts_until="2999-12-31")
    replies = [
        EdgeTransport(edge)(method, url.replace(TANAH_ABANG, other), {}, b"")
        for other in ("senen-2024", "never-opened")
        for method, url in phone.requests
        if TANAH_ABANG in url
    ]
    assert {reply.status for reply in replies} == {404}
    assert len({reply.body for reply in replies}) == 1


@pytest.mark.parametrize("name", ["form.xml", "..%2Fform.xml", "prices", "OCCUPATIONS.CSV"])
def test_a_file_that_the_form_does_not_need_is_unknown(edge: Edge, phone: CollectPhone, name: str) -> None:
    url = next(url for _, url in phone.requests if url.endswith("occupations.csv"))
    assert EdgeTransport(edge)("GET", url.replace("occupations.csv", name), {}, b"").status == 404


def test_the_token_is_in_no_log_line_and_no_metric(
    edge: Edge, phone: CollectPhone, log_output: LogOutput
) -> None:
    transport = EdgeTransport(edge)
    for method, url in [*phone.requests, ("POST", phone.requests[0][1].replace("formList", "submission"))]:
        transport(method, url, {}, b"")
        transport(method, url.replace(edge.tokens["kiosk"], edge.tokens["bot"]), {}, b"")

    lines = [line for line in log_output.lines if line["message"] == "request answered"]
    assert {line["route"] for line in lines} >= {"/odk/{token}/formList", "/odk/{token}/submission"}
    assert {line.get("client_id") for line in lines} == {"van-1", None}
    assert "daftar_" not in log_output.text


def test_the_phone_shows_why_it_has_no_forms(edge: Edge) -> None:
    with pytest.raises(PhoneError, match="HTTP 403: HP ini tidak terdaftar lagi"):
        make_phone(edge, "bot").refresh_forms()
    with pytest.raises(PhoneError, match="This device is not enrolled any more"):
        make_phone(edge, "bot", language="en").refresh_forms()
