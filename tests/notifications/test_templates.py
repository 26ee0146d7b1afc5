"""Every template in every language, with the longest fields."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.languages import WORKER_LANGUAGES, WorkerLanguage
from chalicelib.messaging import gsm7
from chalicelib.notifications import templates
from chalicelib.notifications.templates import Template, get_template
from chalicelib.registrations import references
from chalicelib.registrations.references import ALPHABET
from chalicelib.rupiah import format_rupiah
from chalicelib.sms_purposes import Purpose

BODIES = [(each, language) for each in templates.load_templates().values() for language in WORKER_LANGUAGES]
BODIES_BY_ID = {(each.purpose, language): (each, language) for each, language in BODIES}


def each_body() -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("template", "language"), BODIES_BY_ID.values(), ids=["-".join(key) for key in BODIES_BY_ID]
    )


def render_received(name: str, language: WorkerLanguage = "id") -> str:
    return get_template(Purpose.RECEIVED).render(language, name=name, reference="7K4-M2Q-X9P")


def render_name(name: str) -> str:
    """Return a name as rendered."""
    return render_received(name).removeprefix("BPJAMSOSTEK: Data ").partition(" sudah kami")[0]


@each_body()
def test_longest_fields_fit_one_part(template: Template, language: WorkerLanguage) -> None:
    for character in ("W", "."):
        body = template.render(
            language, **{name: character * field.max_septets for name, field in template.fields.items()}
        )
        assert gsm7.is_gsm7(body)
        assert gsm7.count_septets(body) <= 160


def test_every_purpose_has_a_template() -> None:
    assert set(templates.load_templates()) == set(Purpose)


@given(
    indices=st.lists(st.integers(0, 29), min_size=8, max_size=8).filter(lambda positions: max(positions) >= 8)
)
def test_reference_is_never_cut_and_has_no_four_digits_in_a_row(indices: list[int]) -> None:
    positions = iter(indices)
    reference = references.generate(lambda _: next(positions))
    body = get_template(Purpose.RECEIVED).render("id", name="Melati", reference=reference)
    assert reference in body
    assert set(reference) <= {*ALPHABET, "-"}
    assert not re.search(r"\d{4}", body)


@pytest.mark.parametrize(
    ("name", "shortened"),
    [
        ("Melati Kusumawati", "Melati Kusumawati"),
        ("Suharno", "Suharno"),
        ("Raden Mas Haryo Suryaningrat", "Raden Mas Haryo"),
        ("Raden Ajeng Kartini Dua4", "Raden Ajeng Kartini Dua4"),
        ("Raden Ajeng Kartini Lima5", "Raden Ajeng Kartini"),
        ("Wongsonegoroningratdiwiryo", "Wongsonegoroningratdiwir"),
        ("Wongsonegoroningratdiwiryo Adi", "Wongsonegoroningratdiwir"),
        ("Nur\N{RIGHT SINGLE QUOTATION MARK}aini", "Nur'aini"),
        ("Nguyễn Thị Hoàng Phương Anh", "Nguyen Thi Hoàng Phuong"),
        ("  Siti \n  Aminah ", "Siti Aminah"),
        ("[]^{}~|€ Siti", "[]^{}~|€ Siti"),
        ("[]^{}~|€ Siti Aminah", "[]^{}~|€ Siti"),
        ("[][][][][][][]", "[][][][][][]"),
        ("{reference}", "{reference}"),
        ("{0.__class__} %s", "{0. __class__} %s"),
        ("H.M. Siti", "H. M. Siti"),
        ("bit.ly", "bit. ly"),
        ("bit.\N{ZERO WIDTH SPACE}ly", "bit. ly"),
    ],
)
def test_long_name_is_cut_at_a_word_or_a_character(name: str, shortened: str) -> None:
    assert render_name(name) == shortened


@given(name=st.text(min_size=1, max_size=100), language=st.sampled_from(WORKER_LANGUAGES))
def test_any_name_gives_one_part_on_one_line(name: str, language: WorkerLanguage) -> None:
    body = render_received(name, language)
    assert gsm7.is_gsm7(body)
    assert gsm7.count_septets(body) <= 160
    assert "7K4-M2Q-X9P" in body
    assert body.splitlines() == [body]


@pytest.mark.parametrize("fields", [{}, {"name": "Siti"}, {"name": "Siti", "reference": "R", "nik": "1"}])
def test_other_fields_raise(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="received takes"):
        get_template(Purpose.RECEIVED).render("id", **fields)


@pytest.mark.parametrize(
    ("code", "shortened"),
    [
        ("ABC-123", "ABC-123"),
        ("123456789012", "123 456 789 012"),
        ("8888801234", "888 880 123 4"),
        ("TA1234-99", "TA123 4-99"),
        ("9" * 30, " ".join(["999"] * 10)),
    ],
)
def test_payment_code_is_written_in_groups_of_three_digits(code: str, shortened: str) -> None:
    body = get_template(Purpose.PAYMENT_CODE).render(
        "id", name="Melati", code=code, amount="Rp16.800", until="15 Des 26"
    )
    assert f"Kode bayar Melati {shortened}, iuran Rp16.800." in body


@pytest.mark.parametrize("language", WORKER_LANGUAGES)
def test_a_day_is_written_in_every_language(language: WorkerLanguage) -> None:
    assert all(templates.format_day(date(2026, month, 28), language) for month in range(1, 13))


def test_long_reference_raises() -> None:
    with pytest.raises(ValueError, match="longer than 11"):
        get_template(Purpose.RECEIVED).render("id", name="Melati", reference="7K4-M2Q-X9PB")


@pytest.mark.parametrize(
    ("amount", "written"), [(0, "Rp0"), (16_800, "Rp16.800"), (10_000_000_000, "Rp10.000.000.000")]
)
def test_amount_is_written_as_in_indonesia(amount: int, written: str) -> None:
    assert format_rupiah(amount) == written


@pytest.mark.parametrize(("language", "written"), [("id", "31 Des 26"), ("en", "31 Dec 26")])
def test_day_is_written_without_four_digits_in_a_row(language: WorkerLanguage, written: str) -> None:
    assert templates.format_day(date(2026, 12, 31), language) == written
    assert all(len(templates.format_day(date(2026, month, 28), language)) == 9 for month in range(1, 13))
