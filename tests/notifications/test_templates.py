"""Every text, in every language, filled as full as it can be: what operators carry and workers trust."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.messaging import gsm7
from chalicelib.notifications import templates
from chalicelib.notifications.templates import LANGUAGES, Language, Purpose, Template, get_template
from chalicelib.registrations import references
from chalicelib.registrations.references import ALPHABET

EVERY_TEXT = [(each, language) for each in templates.load_templates().values() for language in LANGUAGES]
NAMES = {(each.purpose, language): (each, language) for each, language in EVERY_TEXT}


def every_text() -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("wording", "language"), NAMES.values(), ids=["-".join(key) for key in NAMES]
    )


def received(name: str, language: Language = "id") -> str:
    return get_template(Purpose.RECEIVED).render(language, name=name, reference="7K4-M2Q-X9P")


def told_name(name: str) -> str:
    """How a name stands in the text."""
    return received(name).removeprefix("BPJAMSOSTEK: Data ").partition(" sudah kami")[0]


@every_text()
def test_a_text_fits_one_part_whatever_the_fields_hold(wording: Template, language: Language) -> None:
    for filling in ("W", "."):
        text = wording.render(
            language, **{name: filling * field.max_septets for name, field in wording.fields.items()}
        )
        assert gsm7.is_gsm7(text)
        assert gsm7.count_septets(text) <= 160


def test_every_purpose_has_a_template() -> None:
    assert set(templates.load_templates()) == set(Purpose)


@given(indices=st.lists(st.integers(0, 29), min_size=8, max_size=8).filter(lambda drawn: max(drawn) >= 8))
def test_no_reference_is_cut_or_looks_like_a_one_time_password(indices: list[int]) -> None:
    drawn = iter(indices)
    given_out = references.generate(lambda _: next(drawn))
    text = get_template(Purpose.RECEIVED).render("id", name="Melati", reference=given_out)
    assert given_out in text
    assert set(given_out) <= {*ALPHABET, "-"}
    assert not re.search(r"\d{4}", text)


@pytest.mark.parametrize(
    ("name", "told"),
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
def test_a_name_is_shortened_at_a_word_or_cut(name: str, told: str) -> None:
    assert told_name(name) == told


@given(name=st.text(min_size=1, max_size=100), language=st.sampled_from(LANGUAGES))
def test_whatever_the_name_the_text_is_one_part_on_one_line(name: str, language: Language) -> None:
    text = received(name, language)
    assert gsm7.is_gsm7(text)
    assert gsm7.count_septets(text) <= 160
    assert "7K4-M2Q-X9P" in text
    assert text.splitlines() == [text]


@pytest.mark.parametrize("fields", [{}, {"name": "Siti"}, {"name": "Siti", "reference": "R", "nik": "1"}])
def test_fields_that_are_not_the_templates_are_a_fault_of_ours(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="received takes"):
        get_template(Purpose.RECEIVED).render("id", **fields)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("ABC-123", "ABC-123"),
        ("123456789012", "123 456 789 012"),
        ("8888801234", "888 880 123 4"),
        ("TA1234-99", "TA123 4-99"),
        ("9" * 30, " ".join(["999"] * 10)),
    ],
)
def test_a_payment_code_is_told_in_runs_that_operators_let_through(code: str, told: str) -> None:
    text = get_template(Purpose.PAYMENT_CODE).render(
        "id", name="Melati", code=code, amount="Rp16.800", until="15 Des 26"
    )
    assert f"Kode bayar Melati {told}, iuran Rp16.800." in text


def test_what_cannot_be_shortened_must_fit() -> None:
    with pytest.raises(ValueError, match="longer than 11"):
        get_template(Purpose.RECEIVED).render("id", name="Melati", reference="7K4-M2Q-X9PB")


@pytest.mark.parametrize(
    ("amount", "written"), [(0, "Rp0"), (16_800, "Rp16.800"), (10_000_000_000, "Rp10.000.000.000")]
)
def test_an_amount_is_written_as_in_indonesia(amount: int, written: str) -> None:
    assert templates.format_rupiah(amount) == written


@pytest.mark.parametrize(("language", "written"), [("id", "31 Des 26"), ("en", "31 Dec 26")])
def test_a_day_is_written_without_four_digits_in_a_row(language: Language, written: str) -> None:
    assert templates.format_day(date(2026, 12, 31), language) == written
    assert all(len(templates.format_day(date(2026, month, 28), language)) == 9 for month in range(1, 13))
