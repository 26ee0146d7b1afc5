"""A summary in each of its forms, and the board, through the edge."""

import csv
import io
from typing import Any

import openpyxl
import pytest

from chalicelib.rollups.renderings.formats import MEDIA_TYPES
from tests.edge.conftest import Edge, assert_problem, dump_stored_state
from tests.edge.test_summaries import DAY, market_day
from tests.support.payloads import make_capture_payload

BOARD = "/v1/campaigns/tanah-abang-2024/board"
A_BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CREATED = 3


@pytest.fixture
def counted_day(edge: Edge) -> Edge:
    """The campaign with a day that was counted."""
    market_day(edge)
    edge.send("POST", DAY, caller="manager")
    return edge


def workbook(body: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(body))


def test_json_is_given_where_nobody_asks_for_another_form(counted_day: Edge) -> None:
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
        answer = counted_day.send("GET", DAY, caller="manager", **headers)
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json_body["counts"]["created"] == CREATED


@pytest.mark.parametrize("form", MEDIA_TYPES)
def test_a_form_is_asked_for_by_name_or_by_media_type(counted_day: Edge, form: Any) -> None:
    named = counted_day.send("GET", f"{DAY}?format={form}", caller="manager", Accept="*/*")
    accepted = counted_day.send("GET", DAY, caller="manager", Accept=MEDIA_TYPES[form])

    assert named.status_code == 200
    assert named.headers["Content-Type"].partition(";")[0] == MEDIA_TYPES[form]
    assert accepted.body == named.body
    again = counted_day.send("GET", f"{DAY}?format={form}", caller="manager", Accept="text/plain")
    assert again.body == named.body


def test_a_form_asked_for_by_name_is_given_whatever_is_accepted(counted_day: Edge) -> None:
    for accepted in ("text/html", "application/pdf", "*/*;q=0"):
        answer = counted_day.send("GET", f"{DAY}?format=xlsx", caller="manager", Accept=accepted)
        assert {row[0]: row[1] for row in workbook(answer.body)["Ringkasan"].values}["Terdaftar"] == CREATED


@pytest.mark.parametrize("accepted", [None, "", " ", ";q=1", ", */*"])
def test_where_the_gateway_would_send_base64_a_workbook_is_refused(
    counted_day: Edge, accepted: str | None
) -> None:
    """API Gateway sends bytes only if the first type of `Accept` matches the API's binary types."""
    headers = {} if accepted is None else {"Accept": accepted}

    answer = counted_day.send("GET", f"{DAY}?format=xlsx", caller="manager", **headers)

    assert_problem(answer, 406, "format_unavailable")
    for form in ("json", "html", "csv"):
        text = counted_day.send("GET", f"{DAY}?format={form}", caller="manager", **headers)
        assert text.status_code == 200


@pytest.mark.parametrize("query", ["format=csv&dialect=excel", "dialect=excel"])
@pytest.mark.parametrize("accepted", ["*/*", "application/json", "text/csv", "application/pdf"])
def test_csv_for_excel_is_given_whatever_is_accepted(counted_day: Edge, query: str, accepted: str) -> None:
    answer = counted_day.send("GET", f"{DAY}?{query}&language=en", caller="manager", Accept=accepted)

    assert answer.headers["Content-Type"].startswith("text/csv; charset=utf-8")
    assert answer.headers["Content-Language"] == "en"
    assert answer.body.startswith("\ufeffCampaign's id;Day;Version;State;By;Name;Value;Unit;".encode())
    assert f";;Registered;{CREATED};people;".encode() in answer.body


def test_the_plain_dialect_is_the_default(counted_day: Edge) -> None:
    for language in ("id", "en"):
        default = counted_day.send("GET", f"{DAY}?format=csv&language={language}", caller="manager")
        plain = counted_day.send("GET", f"{DAY}?format=csv&dialect=plain", caller="manager")
        assert default.body == plain.body
        assert default.body.startswith(b"campaign_id,day,version,state,counted_at,figure,key,value,unit\r\n")


@pytest.mark.parametrize("form", ["json", "html", "xlsx"])
def test_only_csv_has_a_dialect(counted_day: Edge, form: str) -> None:
    answer = counted_day.send("GET", f"{DAY}?format={form}&dialect=excel", caller="manager", Accept="*/*")

    (error,) = assert_problem(answer, 422, "body_invalid")["errors"]
    assert error["code"] == "dialect_without_csv"


def test_a_browser_gets_the_page(counted_day: Edge) -> None:
    page = counted_day.send("GET", DAY, caller="manager", Accept=A_BROWSER)

    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert f">{CREATED}<" in page.body.decode()


def test_a_table_is_a_file_with_a_name(counted_day: Edge) -> None:
    answer = counted_day.send("GET", f"{DAY}?format=csv", caller="manager")
    told = {
        row["figure"]: row["value"] for row in csv.DictReader(io.StringIO(answer.body.decode(), newline=""))
    }

    assert told["created"] == str(CREATED)
    disposition = 'attachment; filename="tanah-abang-2024-2024-10-09.csv"'
    assert answer.headers["Content-Disposition"] == disposition


def test_every_form_says_what_chose_it_and_is_kept_by_nobody_else(counted_day: Edge) -> None:
    for form in MEDIA_TYPES:
        answer = counted_day.send("GET", f"{DAY}?format={form}", caller="manager", Accept="*/*")
        assert "Accept" in answer.headers["Vary"].split(", ")
        assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("query", "headers", "language"),
    [
        ("", {}, "id"),
        ("", {"Accept_Language": "en-GB"}, "en"),
        ("&language=en", {}, "en"),
        ("&language=id", {"Accept_Language": "en"}, "id"),
    ],
)
def test_the_page_is_indonesian_unless_english_is_asked_for(
    counted_day: Edge, query: str, headers: dict[str, Any], language: str
) -> None:
    page = counted_day.send("GET", f"{DAY}?format=html{query}", caller="manager", **headers)

    assert page.headers["Content-Language"] == language
    assert f'<html lang="{language}">' in page.body.decode()


@pytest.mark.parametrize("query", ["format=pdf", "format=", "format=HTML", "language=jv", "fromat=html"])
def test_a_form_or_language_that_there_is_none_of_is_a_problem(counted_day: Edge, query: str) -> None:
    problem = assert_problem(counted_day.send("GET", f"{DAY}?{query}", caller="manager"), 422, "body_invalid")

    (error,) = problem["errors"]
    assert error["code"] in {"value_not_allowed", "field_unknown"}


@pytest.mark.parametrize("accepted", ["application/pdf", "image/png;q=1, text/html;q=0", "*/*;q=0"])
def test_where_no_form_is_accepted_none_is_given(counted_day: Edge, accepted: str) -> None:
    assert_problem(counted_day.send("GET", DAY, caller="manager", Accept=accepted), 406, "format_unavailable")


def test_an_older_version_has_every_form_too(counted_day: Edge) -> None:
    counted_day.register(
        make_capture_payload(
            capture_id="01926f3e-7c00-7000-8000-0000000000ff", worker={"nik": "3171075204857099"}
        )
    )
    counted_day.send("POST", DAY, caller="manager")

    first = counted_day.send("GET", f"{DAY}?format=html&version=1", caller="manager").body.decode()

    assert "Versi 1" in first
    assert f">{CREATED}<" in first


def test_the_board_shows_what_was_not_summarised_yet_and_stores_nothing(edge: Edge) -> None:
    market_day(edge)
    before = dump_stored_state()

    board = edge.send("GET", BOARD, caller="manager")

    assert board.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Aktivasi Pasar Tanah Abang" in board.body.decode()
    assert dump_stored_state() == before


def test_the_script_of_a_board_is_the_only_one_that_its_page_may_run(edge: Edge) -> None:
    for answer in (edge.send("GET", BOARD, caller="manager"), edge.send("GET", "/board", caller=None)):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.count("'sha256-") == 1
        assert answer.body.decode().count("<script>") == 1
        assert "connect-src 'self'" in policy


def test_the_door_of_the_board_says_nothing_of_any_campaign(edge: Edge) -> None:
    door = edge.send("GET", "/board", caller=None, Accept_Language="en").body.decode()

    assert '<html lang="en">' in door
    assert "Tanah Abang" not in door


def test_the_board_of_a_campaign_nobody_opened_is_unknown(edge: Edge) -> None:
    assert_problem(
        edge.send("GET", "/v1/campaigns/never-opened/board", caller="manager"), 404, "campaign_unknown"
    )
