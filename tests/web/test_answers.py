"""The answers of the form: what was entered is what is saved, and what is opened again to be corrected."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import NOW
from tests.support.javascript import JavaScriptRules
from tests.support.payloads import make_nik
from tests.web.conftest import SPONSORS, Bundle

ANSWERS = "../screens/answers.js"
DAY = NOW.date().isoformat()
NOW_MS = int(NOW.timestamp() * 1000)

BIRTHS = st.dates(NOW.date() - timedelta(days=60 * 365), NOW.date() - timedelta(days=20 * 365))


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    """Return the answers of a form that may be saved, with every field as a person may leave it."""
    birth, other = draw(BIRTHS), draw(st.none() | BIRTHS)
    day = birth.day + (40 if draw(st.booleans()) else 0)
    nik = f"317107{day:02}{birth:%m%y}{draw(st.integers(1, 9999)):04}"
    card = other or birth
    payer = draw(st.sampled_from(["self", "sponsor", "csr", "state_budget"]))
    occupations = draw(st.permutations(["porter", "trader", "driver_online", ""]))
    return {
        "nik": nik,
        "isBirthDateOther": other is not None,
        "birthDate": {"day": str(card.day), "month": str(card.month), "year": str(card.year)},
        "nikAgain": nik,
        "name": draw(st.sampled_from(["Melati", "Melati Kusumawati", " Siti "])),
        "phoneOwner": draw(st.sampled_from(["own", "relative", "none"])),
        "phone": "0824-5550-7001",
        "address": draw(st.sampled_from(["", "Jalan Contoh 7", "  "])),
        "postalCode": draw(st.sampled_from(["", "10250"])),
        "occupation": occupations[0] or "porter",
        "secondOccupation": draw(st.sampled_from(["", occupations[1]])) if occupations[0] else "",
        "employsOthers": draw(st.booleans()),
        "income": draw(st.sampled_from([1_000_000, 2_500_000, 7_000_000])),
        "hasJht": draw(st.booleans()),
        "months": draw(st.sampled_from([1, 2, 3, 6, 12])),
        "payer": payer,
        "sponsorId": draw(st.sampled_from(["", SPONSORS[0]["sponsor_id"]])),
        "consentGivenAt": NOW.isoformat(),
        "consentVersion": draw(st.sampled_from(["", "2024-10"])),
        "language": draw(st.sampled_from(["id", "en"])),
    }


def make_content(rules: JavaScriptRules, given_answers: dict[str, Any], bundle: Bundle) -> dict[str, Any]:
    """Return the capture that the answers make."""
    content: dict[str, Any] = rules.call(ANSWERS, "makeContent", given_answers, bundle, DAY)
    return content


@given(entered=answers())
def test_the_birth_date_that_was_entered_is_the_one_that_is_saved(
    javascript_rules: JavaScriptRules, bundle: Bundle, entered: dict[str, Any]
) -> None:
    worker = make_content(javascript_rules, entered, bundle)["worker"]
    typed = entered["birthDate"]
    assert worker["birth_date"] == f"{int(typed['year']):04}-{int(typed['month']):02}-{int(typed['day']):02}"


@given(entered=answers())
def test_a_capture_that_is_opened_to_be_corrected_and_saved_again_is_the_same(
    javascript_rules: JavaScriptRules, bundle: Bundle, entered: dict[str, Any]
) -> None:
    content = make_content(javascript_rules, entered, bundle)
    opened = javascript_rules.call(ANSWERS, "readAnswers", content, bundle, DAY)
    assert make_content(javascript_rules, opened, bundle) == content
    errors = javascript_rules.call(ANSWERS, "listErrors", opened, bundle, NOW_MS)
    assert [each["field"] for each in errors if each["field"].startswith("worker.nik_again")] == []


@given(entered=answers(), again=st.sampled_from([make_nik(7002), "3171", ""]))
def test_the_second_nik_is_wanted_only_where_the_birth_dates_differ(
    javascript_rules: JavaScriptRules, bundle: Bundle, entered: dict[str, Any], again: str
) -> None:
    differs = javascript_rules.call(ANSWERS, "isSecondEntryNeeded", entered, bundle, DAY)
    worker = make_content(javascript_rules, {**entered, "isBirthDateOther": False}, bundle)["worker"]
    saved = make_content(javascript_rules, entered, bundle)["worker"]
    assert differs == (worker["birth_date"] != saved["birth_date"])
    errors = javascript_rules.call(ANSWERS, "listErrors", {**entered, "nikAgain": again}, bundle, NOW_MS)
    assert any(each["field"] == "worker.nik_again" for each in errors) == differs
