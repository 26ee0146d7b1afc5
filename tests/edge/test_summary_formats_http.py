"""A summary in each of its formats, and the board, over HTTP."""

import csv
import io
from typing import Any

import openpyxl
import pytest

from chalicelib.rollups.renderings.formats import MEDIA_TYPES
from tests.edge.conftest import Edge, assert_problem, dump_stored_state
from tests.edge.test_summary_routes import DAY, register_example_day
from tests.support.payloads import make_capture_payload

BOARD = "/v1/campaigns/tanah-abang-2024/board"
BROWSER_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CREATED = 3


@pytest.fixture
def counted_day(edge: Edge) -> Edge:
    """Return the app with a day that has captures and a summary."""
    register_example_day(edge)
    edge.send("POST", DAY, caller="manager")
    return edge


def read_workbook(body: bytes) -> openpyxl.Workbook:
    """Return the workbook of a response."""
    return openpyxl.load_workbook(io.BytesIO(body))


def test_json_is_the_default_format(counted_day: Edge) -> None:
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
        response = counted_day.send("GET", DAY, caller="manager", **headers)
        assert response.headers["Content-Type"] == "application/json"
        assert response.json_body["counts"]["created"] == CREATED


@pytest.mark.parametrize("format_name", MEDIA_TYPES)
def test_a_format_is_chosen_by_name_or_by_media_type(counted_day: Edge, format_name: Any) -> None:
    named = counted_day.send("GET", f"{DAY}?format={format_name}", caller="manager", Accept="*/*")
    accepted = counted_day.send("GET", DAY, caller="manager", Accept=MEDIA_TYPES[format_name])

    assert named.status_code == 200
    assert named.headers["Content-Type"].partition(";")[0] == MEDIA_TYPES[format_name]
    assert accepted.body == named.body
    again = counted_day.send("GET", f"{DAY}?format={format_name}", caller="manager", Accept="text/plain")
    assert again.body == named.body


@pytest.mark.parametrize("path", [*(f"{DAY}?format={name}" for name in MEDIA_TYPES), DAY.rpartition("/")[0]])
def test_a_viewer_reads_the_figures_that_a_manager_reads(counted_day: Edge, path: str) -> None:
    before = dump_stored_state()
    shown, known = (
        counted_day.send("GET", path, caller=caller, Accept="*/*") for caller in ("viewer", "manager")
    )
    assert (shown.status_code, shown.body) == (200, known.body)
    assert dump_stored_state() == before


def test_a_format_chosen_by_name_overrides_accept(counted_day: Edge) -> None:
    for accepted in ("text/html", "application/pdf", "*/*;q=0"):
        response = counted_day.send("GET", f"{DAY}?format=xlsx", caller="manager", Accept=accepted)
        assert {row[0]: row[1] for row in read_workbook(response.body)["Ringkasan"].values}[
            "Terdaftar"
        ] == CREATED


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
    assert answer.body.startswith("\ufeffCampaign id;Day;Version;State;Breakdown;Name;Value;Unit;".encode())
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


def test_a_browser_gets_html_without_scripts(counted_day: Edge) -> None:
    page = counted_day.send("GET", DAY, caller="manager", Accept=BROWSER_ACCEPT)

    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert f">{CREATED}<" in page.body.decode()


def test_csv_is_an_attachment_with_a_file_name(counted_day: Edge) -> None:
    response = counted_day.send("GET", f"{DAY}?format=csv", caller="manager")

    rows = csv.DictReader(io.StringIO(response.body.decode(), newline=""))
    figures = {row["figure"]: row["value"] for row in rows}
    assert (figures["registered"], figures["created"]) == (str(CREATED), str(CREATED))
    disposition = 'attachment; filename="tanah-abang-2024-2024-10-09.csv"'
    assert response.headers["Content-Disposition"] == disposition


def test_every_format_varies_by_accept_and_is_not_cached_by_proxies(counted_day: Edge) -> None:
    for format_name in MEDIA_TYPES:
        response = counted_day.send("GET", f"{DAY}?format={format_name}", caller="manager", Accept="*/*")
        assert "Accept" in response.headers["Vary"].split(", ")
        assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("query", "headers", "language"),
    [
        ("", {}, "id"),
        ("", {"Accept_Language": "en-GB"}, "en"),
        ("&language=en", {}, "en"),
        ("&language=id", {"Accept_Language": "en"}, "id"),
        ("&language=in-ID", {"Accept_Language": "en"}, "id"),
        ("&language=in", {"Accept_Language": "en"}, "id"),
        ("&language=id_ID", {"Accept_Language": "en"}, "id"),
        ("&language=en_US", {}, "en"),
        ("", {"Accept_Language": "in-ID,in;q=0.9,en;q=0.7"}, "id"),
    ],
)
def test_the_page_is_in_indonesian_unless_english_is_requested(
    counted_day: Edge, query: str, headers: dict[str, Any], language: str
) -> None:
    page = counted_day.send("GET", f"{DAY}?format=html{query}", caller="manager", **headers)

    assert page.headers["Content-Language"] == language
    assert f'<html lang="{language}">' in page.body.decode()


@pytest.mark.parametrize("query", ["format=pdf", "format=", "format=HTML", "language=jv", "fromat=html"])
def test_an_unknown_format_language_or_parameter_is_refused(counted_day: Edge, query: str) -> None:
    problem = assert_problem(counted_day.send("GET", f"{DAY}?{query}", caller="manager"), 422, "body_invalid")

    (error,) = problem["errors"]
    assert error["code"] in {"value_not_allowed", "field_unknown"}


@pytest.mark.parametrize("accepted", ["application/pdf", "image/png;q=1, text/html;q=0", "*/*;q=0"])
def test_an_accept_header_without_a_known_format_is_refused(counted_day: Edge, accepted: str) -> None:
    assert_problem(counted_day.send("GET", DAY, caller="manager", Accept=accepted), 406, "format_unavailable")


def test_an_older_version_can_be_read_as_html(counted_day: Edge) -> None:
    counted_day.register(
        make_capture_payload(
            capture_id="01926f3e-7c00-7000-8000-0000000000ff", worker={"nik": "3171075204857099"}
        )
    )
    counted_day.send("POST", DAY, caller="manager")

    first = counted_day.send("GET", f"{DAY}?format=html&version=1", caller="manager").body.decode()

    assert "Versi 1" in first
    assert f">{CREATED}<" in first


def test_the_board_of_an_uncounted_campaign_is_html_and_stores_nothing(edge: Edge) -> None:
    register_example_day(edge)
    before = dump_stored_state()

    board = edge.send("GET", BOARD, caller="manager")

    assert board.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Aktivasi Pasar Tanah Abang" in board.body.decode()
    assert dump_stored_state() == before


def test_the_board_may_run_only_its_own_script(edge: Edge) -> None:
    for response in (edge.send("GET", BOARD, caller="manager"), edge.send("GET", "/board", caller=None)):
        policy = response.headers["Content-Security-Policy"]
        assert policy.count("'sha256-") == 1
        assert response.body.decode().count("<script>") == 1
        assert "connect-src 'self'" in policy


def test_the_board_page_without_a_token_has_no_campaign_data(edge: Edge) -> None:
    page = edge.send("GET", "/board", caller=None, Accept_Language="en").body.decode()

    assert '<html lang="en">' in page
    assert "Tanah Abang" not in page


def test_the_board_of_an_unknown_campaign_is_not_found(edge: Edge) -> None:
    assert_problem(
        edge.send("GET", "/v1/campaigns/never-opened/board", caller="manager"), 404, "campaign_unknown"
    )
