"""What operators let through: rules of whole SMS and of names, and names made harmless."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.filtered_text import find_name_problem
from chalicelib.languages import LANGUAGES, WORKER_LANGUAGES, Language, WorkerLanguage
from chalicelib.messaging.content import (
    BRAND,
    ContentFault,
    find_faults,
    make_harmless,
)
from chalicelib.notifications.templates import FieldKind, Template, load_templates
from chalicelib.rollups.renderings import sms
from tests.support.report_builders import make_report

TEMPLATES = list(load_templates().values())
FIELD_VALUES = {
    FieldKind.REFERENCE: "7K4-M2Q-X9P",
    FieldKind.AMOUNT: "Rp16.800",
    FieldKind.DATE: "31 Des 26",
}

# Names as people type them, and pieces of what operators drop in any combination, whole and in part.
pieces = st.sampled_from(
    [
        *(
            "OTP",
            "otp",
            "Pin",
            "kode",
            "verifikasi",
            "Kode verifikasi",
            "code",
            "token",
            "dana",
            "Selamat",
            "juta",
        ),
        *(
            "bit.ly",
            "https://",
            "http:",
            "www.",
            "://",
            ".id",
            ".com",
            "x.go",
            "://otp",
            "pindah",
            "danau",
            "o",
            "tp",
        ),
        *(
            "1234",
            "123",
            "2024",
            "081234567890",
            "9",
            " ",
            "  ",
            ".",
            "-",
            "_",
            "'",
            ":",
            "...",
            "Pasar",
            "€",
            "[",
            "é",
        ),
        *(
            "\N{FULLWIDTH FULL STOP}",
            "\N{FULLWIDTH DIGIT ONE}",
            "\N{ARABIC-INDIC DIGIT ONE}",
            "\N{ZERO WIDTH SPACE}",
        ),
    ]
)
hostile = st.lists(pieces, min_size=1, max_size=12).map("".join)
names = st.text(min_size=1, max_size=120) | hostile


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        (f"{BRAND}: Data Melati sudah kami terima. Info 175", []),
        ("Pasar: kode OTP", [ContentFault.BRAND, ContentFault.WORD]),
        (f"{BRAND}: buka bit.ly/x", [ContentFault.LINK]),
        (f"{BRAND}: buka HTTPS://x", [ContentFault.LINK]),
        (f"{BRAND}: 1234", [ContentFault.DIGITS]),
        (f"{BRAND}: {'x' * 149}", [ContentFault.PARTS]),
        (f"{BRAND}: \N{SNOWMAN}", [ContentFault.PARTS]),
        (f"{BRAND}", [ContentFault.BRAND]),
        (f"{BRAND}: pindah ke Danau Toba, spin, tokennya", []),
    ],
)
def test_the_faults_of_a_body_are_found(body: str, faults: list[ContentFault]) -> None:
    assert find_faults(body) == faults


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Aktivasi Pasar Tanah Abang",
            "Pasar Senen 2024",
            "PT. Contoh Jaya",
            "Blok A-12",
            "RW 05/RT 01",
            "Ny. Hj. Siti",
        ),
        # Words that are dropped on unregistered routes alone are people's names, too.
        *("Selamat Riyadi", "Yayasan Dana Contoh", "Pindad", "Danau Toba", "Nur'aini"),
    ],
)
def test_usual_names_are_accepted(name: str) -> None:
    assert find_name_problem(name) is None


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Klik bit.ly/hadiah",
            "www.contoh",
            "http://x",
            "Hadiah di contoh.com",
            "Contoh.ID",
            "contoh\N{FULLWIDTH FULL STOP}com",
        ),
        *("Kode OTP", "PIN ATM", "Token listrik", "kode verifikasi", "Password"),
        *("12345", "Hubungi 0812-3456-7890", "0812 3456 7890", "3171 0752 0485 7001", "(021) 555 0199"),
    ],
)
def test_names_that_operators_drop_are_refused(name: str) -> None:
    assert find_name_problem(name) == "text_not_for_sms"


@given(name=names)
def test_a_name_that_is_accepted_is_whole_in_its_letters_or_is_dropped_on_unregistered_routes_alone(
    name: str,
) -> None:
    if find_name_problem(name) is None:
        faults = set(find_faults(f"{BRAND}: {make_harmless(name)}"[:100]))
        assert not faults & {ContentFault.LINK, ContentFault.WORD, ContentFault.DIGITS}


@pytest.mark.parametrize(
    ("name", "harmless"),
    [
        ("Melati Kusumawati", "Melati Kusumawati"),
        ("Kode OTP", "Kode O."),
        ("kode verifikasi 123456", "k. 123 456"),
        ("Selamat Riyadi", "S. Riyadi"),
        ("bit.ly", "bit. ly"),
        ("https://x.id", " x. id"),
        ("Pasar 2024", "Pasar '24"),
        ("Pindah", "Pindah"),
    ],
)
def test_a_name_is_made_harmless(name: str, harmless: str) -> None:
    assert make_harmless(name) == harmless


@given(name=names)
@example(name="://://otp")
@example(name="1234otp")
def test_nothing_that_operators_drop_is_left_of_any_name(name: str) -> None:
    faults = find_faults(f"{BRAND}: {make_harmless(name)}")
    assert set(faults) <= {ContentFault.PARTS}


@pytest.mark.parametrize("template", TEMPLATES, ids=[each.purpose for each in TEMPLATES])
@given(name=names, language=st.sampled_from(WORKER_LANGUAGES))
@example(name="W-W-W-W-W-W-W-W-W-W-pinW", language="id")
@example(name="W-W-W-W-W-W-W-W-pinW", language="id")
def test_no_name_of_a_worker_spoils_an_sms(template: Template, name: str, language: WorkerLanguage) -> None:
    values = {
        field_name: name if field.kind is FieldKind.NAME else FIELD_VALUES[field.kind]
        for field_name, field in template.fields.items()
    }
    assert find_faults(template.render(language, **values)) == []


@given(name=names, language=st.sampled_from(LANGUAGES))
@example(name=f"{'W' * 90} Danau", language="id")
def test_no_name_of_a_campaign_spoils_the_report_sms(name: str, language: Language) -> None:
    assert find_faults(sms.render_body(make_report(campaign={"name": name}), language)) == []


@pytest.mark.parametrize("length", range(80, 121))
def test_a_cut_makes_no_filtered_word_of_a_longer_one(length: int) -> None:
    name = ("Danau Pintu " * 10)[:length]
    assert find_faults(sms.render_body(make_report(campaign={"name": name}), "id")) == []
