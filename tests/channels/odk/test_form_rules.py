"""The form refuses what intake refuses, by ODK's own engine; every difference is listed here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.campaigns.model import Campaign
from chalicelib.channels.odk.answers import build_registration
from chalicelib.channels.odk.model import read_submission
from chalicelib.refusals import RulesBroken
from chalicelib.registrations import nik, phone
from chalicelib.registrations.cleaned_capture import CleanedCapture
from chalicelib.registrations.errors import InvalidValue
from chalicelib.registrations.rules import AgeLimits, read_worker
from ops.odk.rules import make_nik_pattern, make_phone_pattern
from tests.channels.odk.conftest import NOW
from tests.support.collect_phone import make_multipart
from tests.support.javarosa.engine import FilledForm, Filling, FormEngine, is_java_installed
from tests.support.odk_instances import list_answers, make_instance
from tests.support.payloads import make_capture_payload

needs_java = pytest.mark.skipif(not is_java_installed(), reason="needs a JDK (.ci/run installs one)")

CAPTURE_DAY = date(2024, 10, 9)
START = "2024-10-09T09:00:00.000+07:00"


def is_accepted_as_nik(text: str) -> bool:
    try:
        nik.parse(text, capture_day=CAPTURE_DAY)
    except InvalidValue:
        return False
    return True


def is_accepted_as_phone(text: str) -> bool:
    try:
        phone.parse(text)
    except InvalidValue:
        return False
    return True


def two_digits(least: int = 0, most: int = 99) -> st.SearchStrategy[str]:
    return st.integers(least, most).map(lambda number: f"{number:02d}")


likely_niks = st.tuples(
    two_digits(10, 97),
    st.just("7107"),
    two_digits(0, 75),
    two_digits(0, 13),
    two_digits(),
    st.sampled_from(["0000", "0001", "9999"]),
).map("".join)


@given(likely_niks | st.text("0123456789", min_size=14, max_size=18))
def test_the_pattern_of_a_nik_takes_exactly_the_niks_of_intake(text: str) -> None:
    assert bool(re.fullmatch(make_nik_pattern(), text)) == is_accepted_as_nik(text)


@given(st.from_regex(r"(\+62|62|0062|0|\+620|)8[0-9]{5,13}", fullmatch=True))
def test_the_pattern_of_a_phone_takes_exactly_the_mobile_numbers_of_intake(text: str) -> None:
    assert bool(re.fullmatch(make_phone_pattern(), text)) == is_accepted_as_phone(text)


@dataclass(frozen=True)
class Case:
    """An answer, and what both sides say of it."""

    path: str
    text: str
    form: bool
    intake: bool
    why: str = ""

    @property
    def label(self) -> str:
        return f"{self.path}: {self.text[:40]}"


def both(path: str, *texts: str, accepted: bool) -> Iterator[Case]:
    for text in texts:
        yield Case(path, text, form=accepted, intake=accepted)


FULL_WIDTH_NIK = "".join(chr(ord(digit) + 0xFEE0) for digit in "3171075204857001")

CASES = [
    *both("worker.nik", "3171075204857001", "3171 0752 0485 7001", "31.71.07.520485.7001", accepted=True),
    *both("worker.nik", "3171-07-520485-7001", "3171070101007001", "3171072902007001", accepted=True),
    *both("worker.nik", "317107520485700", "31710752048570011", "317107520485700A", accepted=False),
    *both("worker.nik", "0071075204857001", "2071075204857001", "3171075204850000", accepted=False),
    *both("worker.nik", "3171073002857001", "3171077113857001", "3171072902857001", accepted=False),
    *both("worker.nik", "3,17E+15", "317107520485701.0", "317107520485700.10", accepted=False),
    *both(
        "worker.name",
        "Siti",
        "Nur 'Aini",
        "M. Yusuf, S.Pd.",
        "Jean-Paul",
        "D\N{RIGHT SINGLE QUOTATION MARK}Angelo",
        "Żaneta",
        accepted=True,
    ),
    *both("worker.name", "Siti2", "a@b.c", "Budi/Ani", "Budi (Pak)", "...", "- '", "A" * 101, accepted=False),
    *both("worker.birth_date", "1985-04-12", "2007-10-09", "1959-10-10", accepted=True),
    *both("worker.birth_date", "2007-10-10", "1959-10-09", "2025-01-01", "1900-01-01", accepted=False),
    *both("worker.phone", "0824-5550-7001", "+62 824 5550 7001", "0062 824 5550 7001", accepted=True),
    *both(
        "worker.phone",
        "8245550 7001",
        "62824.5550.7001",
        "(0824) 5550 7001",
        "+62 (0)824-5550-7001",
        accepted=True,
    ),
    *both("worker.phone", "021-345-6789", "0824", "+60 12 345 6789", "0824-5550-70012345", accepted=False),
    *both("worker.phone", "0824-5550-7001/02", "082455507001.0", "0824abc5507001", accepted=False),
    *both("worker.email", "siti@example.com", accepted=True),
    *both("worker.email", "siti", "siti@example", "a b@example.com", accepted=False),
    *both("worker.address", "Jalan Contoh 7 RT 005/RW 06", "J" * 300, accepted=True),
    *both("worker.address", "J" * 301, accepted=False),
    *both("worker.postal_code", "10250", accepted=True),
    *both("worker.postal_code", "1025", "01025", "102500", "1025A", "10.250", accepted=False),
    *both("work.occupations", "porter", "porter tailor", accepted=True),
    *both("work.occupations", "porter tailor mason", accepted=False),
    *both("work.place", "Blok A", "B" * 120, accepted=True),
    *both("work.place", "B" * 121, accepted=False),
    *both("work.monthly_income", "1", "1000000000", accepted=True),
    *both("work.monthly_income", "-1", "1000000001", accepted=False),
    *both("coverage.programmes", "JKK_JKM", "JKK_JKM_JHT", accepted=True),
    *both("shift.officer", "ofc-12", "A.b_9", accepted=True),
    *both("shift.officer", "ofc 12", "-ofc", "o" * 41, accepted=False),
    # The differences.
    Case(
        "work.monthly_income", "0", form=False, intake=True, why="nobody works for nothing; for 0 ask again"
    ),
    Case("worker.name", "Budi €", form=True, intake=False, why="engines name no classes of signs alike"),
    Case("worker.name", "😀 Budi", form=True, intake=False, why="the same"),
    Case("worker.phone", "0824_5550_7001", form=False, intake=False),
    Case(
        "worker.phone",
        "0824\N{EN DASH}5550\N{EN DASH}7001",
        form=False,
        intake=True,
        why="no phone's keypad has a long dash",
    ),
    Case("worker.nik", FULL_WIDTH_NIK, form=False, intake=True, why="nor full-width digits"),
]


def judge_by_intake(xml: str, campaign: Campaign, path: str) -> bool:
    """Return True unless intake finds a fault with the answer at a path."""
    body, content_type = make_multipart(xml.encode())
    field = path.removeprefix("shift.")
    try:
        command = build_registration(
            read_submission(body, content_type), capture_id=make_capture_payload()["capture_id"]
        )
        read_worker(CleanedCapture.from_command(command), campaign, now=NOW, age_limits=AgeLimits())
    except ValidationError as error:
        return not any(".".join(map(str, each["loc"])).startswith(field) for each in error.errors())
    except RulesBroken as refusal:
        return not any(rule.field.startswith(field) for rule in refusal.broken_rules)
    return True


def test_intake_judges_each_answer_as_the_table_says(campaign: Campaign, subtests: pytest.Subtests) -> None:
    for case in CASES:
        with subtests.test(case.label):
            xml = make_instance("1", None, **{case.path.replace(".", "__"): case.text})
            assert judge_by_intake(xml, campaign, case.path) is case.intake


@needs_java
def test_the_form_judges_each_answer_as_the_table_says(engine: FormEngine, subtests: pytest.Subtests) -> None:
    fillings = [Filling({to_xpath(case.path): case.text}, start=START) for case in CASES]
    for case, filled in zip(CASES, engine.fill(fillings), strict=True):
        with subtests.test(case.label):
            assert (to_xpath(case.path) not in filled.refused) is case.form


def test_every_difference_has_a_reason() -> None:
    assert [case.label for case in CASES if (case.form != case.intake) != bool(case.why)] == []


def to_xpath(path: str) -> str:
    return f"/data/{path.replace('.', '/')}"


def read_leaf(filled: FilledForm, name: str) -> str:
    found = re.search(rf"<{name}(?: />|>([^<]*)</{name}>)", filled.xml)
    return (found and found[1]) or ""


TYPED = {
    to_xpath(path): text
    for path, text in list_answers(make_capture_payload()).items()
    if text and "." in path and path not in {"worker.birth_date", "consent.given_at", "consent.text_version"}
}


def fill(engine: FormEngine, **answers: str) -> FilledForm:
    changed = {to_xpath(path.replace("__", ".")): text for path, text in answers.items()}
    [filled] = engine.fill([Filling({**TYPED, **changed}, start=START)])
    return filled


@needs_java
@pytest.mark.parametrize(
    ("typed", "born", "sex"),
    [
        ("3171075204857001", "1985-04-12", "female"),
        ("3171071204857001", "1985-04-12", "male"),
        ("3171 0701 0100 7001", "2000-01-01", "male"),
        ("3171070910247001", "2024-10-09", "male"),
        ("3171071010247001", "1924-10-10", "male"),
        ("3171076902007001", "2000-02-29", "female"),
    ],
)
def test_birth_date_and_sex_are_read_back_from_the_nik(
    engine: FormEngine, typed: str, born: str, sex: str
) -> None:
    [filled] = engine.fill([Filling({to_xpath("worker.nik"): typed}, start=START)])
    details = nik.parse(typed, capture_day=CAPTURE_DAY)[1]
    assert (details.birth_date.isoformat(), details.sex) == (born, sex)
    assert (read_leaf(filled, "nik_birth_date"), read_leaf(filled, "nik_sex")) == (born, sex)
    assert read_leaf(filled, "birth_date") == born


@needs_java
def test_a_birth_date_on_the_card_that_differs_is_kept(engine: FormEngine) -> None:
    assert read_leaf(fill(engine, worker__birth_date="1985-04-13"), "birth_date") == "1985-04-13"


@needs_java
def test_a_form_without_answers_cannot_be_finalized(engine: FormEngine) -> None:
    [filled] = engine.fill([Filling({})])
    assert filled.invalid == "/data/worker/nik"


@needs_java
def test_a_form_without_consent_cannot_be_finalized(engine: FormEngine) -> None:
    answers = {path: text for path, text in TYPED.items() if path != to_xpath("consent.agreed")}
    [filled] = engine.fill([Filling(answers, start=START)])
    assert filled.invalid == to_xpath("consent.agreed")


@needs_java
def test_a_worker_who_employs_others_must_take_jht(engine: FormEngine) -> None:
    assert fill(engine, work__employs_others="yes").refused == {to_xpath("coverage.programmes")}
    with_jht = fill(engine, work__employs_others="yes", coverage__programmes="JKK_JKM_JHT")
    assert (with_jht.refused, with_jht.invalid) == (set(), None)


@needs_java
def test_the_receipt_has_the_price_the_short_code_and_says_that_nothing_is_covered_yet(
    engine: FormEngine,
) -> None:
    filled = fill(engine)
    instance_id = read_leaf(filled, "instanceID")
    code = read_leaf(filled, "short_code")
    assert code.replace("-", "").lower() == instance_id[-8:]
    assert read_leaf(filled, "price") == "98400"
    receipt = read_leaf(filled, "print")
    assert f"Kode: {code}" in receipt
    assert "Rp98.400 untuk 3 bulan" in receipt
    assert "BELUM TERLINDUNGI sebelum iuran dibayar." in receipt


@needs_java
def test_no_price_is_shown_where_somebody_else_pays(engine: FormEngine) -> None:
    assert read_leaf(fill(engine, coverage__payer="sponsor"), "price") == ""


@needs_java
def test_the_engines_form_is_a_registration(engine: FormEngine, campaign: Campaign) -> None:
    filled = fill(engine)
    assert (filled.refused, filled.invalid) == (set(), None)
    body, content_type = make_multipart(filled.xml.encode())
    command = build_registration(
        read_submission(body, content_type), capture_id=make_capture_payload()["capture_id"]
    )
    assert command.campaign_id == campaign.campaign_id
    assert command.worker.nik == make_capture_payload()["worker"]["nik"]
    assert command.consent.method == "tick"
