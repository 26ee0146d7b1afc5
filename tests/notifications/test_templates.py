"""Every text, in every language, filled as full as it can be: what operators carry and workers trust."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notifications import gsm7, templates
from chalicelib.notifications.templates import Language, Template, template
from chalicelib.registrations import reference
from chalicelib.registrations.reference import ALPHABET

LANGUAGES: tuple[Language, ...] = ("id", "en")
EVERY_TEXT = [(each, language) for each in templates.templates().values() for language in LANGUAGES]
NAMES = {(each.purpose, language): (each, language) for each, language in EVERY_TEXT}

# What operators take for a one-time password or a fraud, and drop.
FILTERED = re.compile(
    r"kode verifikasi|\b(code|otp|pin|akun|username|password|token|verify|verifikasi|selamat|dana|juta)\b",
    re.I,
)
LINK = re.compile(r"https?:|www\.|://|\b\w+\.(id|com|net|org|go|me|ly|info)\b", re.I)


def every_text() -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("wording", "language"), NAMES.values(), ids=["-".join(key) for key in NAMES]
    )


def received(name: str, language: Language = "id") -> str:
    return template("received").render(language, name=name, reference="7K4-M2Q-X9P")


def told_name(name: str) -> str:
    """How a name stands in the text."""
    return received(name).removeprefix("BPJAMSOSTEK: Data ").partition(" sudah kami")[0]


@every_text()
def test_a_text_fits_one_part_with_every_field_as_long_as_it_may_be(
    wording: Template, language: Language
) -> None:
    plain = wording.render(language, **{name: "W" * most for name, most in wording.fields.items()})
    doubled = wording.render(language, **{name: "€" * most for name, most in wording.fields.items()})
    for text in (plain, doubled):
        assert gsm7.is_gsm7(text)
        assert gsm7.septets(text) <= 160


@every_text()
def test_a_text_begins_with_the_registered_name_of_its_sender(wording: Template, language: Language) -> None:
    assert wording.texts[language].startswith("BPJAMSOSTEK: ")


@every_text()
def test_a_text_holds_nothing_that_operators_filter(wording: Template, language: Language) -> None:
    words = wording.texts[language]
    assert not FILTERED.search(words)
    assert not LINK.search(words)
    assert not re.search(r"\d{4}", words)
    assert not any(
        character in "^{}\\[~]|€" for character in words.format_map(dict.fromkeys(wording.fields, ""))
    )


@every_text()
def test_a_text_asks_for_no_reply(wording: Template, language: Language) -> None:
    assert not re.search(r"\b(reply|stop|balas|ketik|unsubscribe)\b", wording.texts[language], re.I)


@every_text()
def test_a_text_never_says_protected_but_to_deny_it(wording: Template, language: Language) -> None:
    denied = re.compile(r"\b(belum terlindungi|tidak terlindungi|not protected)\b", re.I)
    rest = denied.sub("", wording.texts[language])
    assert not re.search(r"terlindung|dilindungi|protected|insured|covered|aktif|\bactive\b", rest, re.I)


@every_text()
def test_a_text_uses_exactly_the_fields_it_declares(wording: Template, language: Language) -> None:
    used = set(re.findall(r"\{(.*?)\}", wording.texts[language]))
    assert used == set(wording.fields)


def test_every_purpose_is_worded_in_every_language() -> None:
    kept = json.loads(Path(templates.__file__).with_name("templates.json").read_text(encoding="utf-8"))
    assert kept
    for wording in kept.values():
        assert set(wording["texts"]) == set(LANGUAGES)


@given(indices=st.lists(st.integers(0, 29), min_size=8, max_size=8).filter(lambda drawn: max(drawn) >= 8))
def test_no_reference_is_cut_or_looks_like_a_one_time_password(indices: list[int]) -> None:
    drawn = iter(indices)
    given_out = reference.new(lambda _: next(drawn))
    text = template("received").render("id", name="Melati", reference=given_out)
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
    assert gsm7.septets(text) <= 160
    assert "7K4-M2Q-X9P" in text
    assert text.splitlines() == [text]


@pytest.mark.parametrize("fields", [{}, {"name": "Siti"}, {"name": "Siti", "reference": "R", "nik": "1"}])
def test_fields_that_are_not_the_templates_are_a_fault_of_ours(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="received takes"):
        template("received").render("id", **fields)
