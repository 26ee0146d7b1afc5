"""The list of occupations: stable ids, search words and sectors."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.occupations import model
from chalicelib.occupations.model import Occupation, find_sector, is_known_occupation, load_occupations
from chalicelib.strict_json import load_data_file, parse_data_file

LIST = load_occupations()
FILE = Path(model.__file__).with_name("occupations.json")
EXAMPLES = Path(__file__).parents[2] / "examples"

# Ids that devices and stored registrations use. Rows may be added; none of these may be removed.
PUBLISHED_IDS = """
    angkot_driver barber beautician boat_operator bus_driver carpenter carriage_driver child_carer
    conductor construction_labourer cook courier craftsperson domestic_worker electrician
    farm_labourer farmer fish_farmer fisher food_vendor livestock_farmer market_trader masseur mason
    mechanic odd_jobs ojek_driver online_seller other parking_attendant pedicab_driver performer
    photographer porter private_tutor refuse_collector religious_teacher repairer security_guard
    shoe_repairer shop_helper shop_owner street_cleaner street_vendor tailor truck_driver washer
    waste_picker welder
"""

TRANSPORT = {
    "ojek_driver": "8321",
    "angkot_driver": "8322",
    "bus_driver": "8331",
    "truck_driver": "8332",
    "courier": "9621",
    "pedicab_driver": "9331",
    "carriage_driver": "9332",
    "conductor": "5112",
    "boat_operator": "8350",
}


def read_rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["occupations"]
    return rows


def read_row(row: dict[str, Any]) -> Occupation:
    """Return the occupation of a row, checked against the types and limits of the fields."""
    return parse_data_file(Occupation, json.dumps(row))


each = pytest.mark.parametrize("occupation", LIST.values(), ids=LIST)


def test_no_two_rows_share_an_id() -> None:
    assert len(read_rows()) == len(LIST)


def test_every_published_id_exists() -> None:
    assert set(PUBLISHED_IDS.split()) <= set(LIST)


def test_no_two_occupations_share_a_name() -> None:
    for names in ([each.name for each in LIST.values()], [each.name_en for each in LIST.values()]):
        assert len({name.casefold() for name in names}) == len(names)


@each
def test_an_id_is_a_plain_word(occupation: Occupation) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]{1,39}", occupation.id)


@each
def test_search_words_are_what_people_type(occupation: Occupation) -> None:
    assert occupation.search
    for word in occupation.search:
        assert word == word.strip().lower()
        assert re.fullmatch(r"[a-z][a-z-]*( [a-z-]+)*", word), word
    assert len(set(occupation.search)) == len(occupation.search)


@each
def test_the_unit_group_is_one_of_isco(occupation: Occupation) -> None:
    # A unit group has four digits; the first is the major group, 1 to 9. Group 0 is the armed forces.
    assert re.fullmatch(r"[1-9][0-9]{3}", occupation.isco_08)


def test_exactly_the_transport_occupations_are_in_the_transport_sector() -> None:
    found = {each.id: each.isco_08 for each in LIST.values() if each.sector == "transport"}
    assert found == TRANSPORT


@pytest.mark.parametrize("occupation_id", ["porter", "market_trader", "parking_attendant", "other"])
def test_other_occupations_are_in_the_other_sector(occupation_id: str) -> None:
    assert find_sector((occupation_id,)) == "other"


def test_there_is_an_id_for_unlisted_work() -> None:
    assert is_known_occupation("other")


def search(typed: str) -> set[str]:
    """Return the ids of the occupations with a name or search word that contains what was typed."""
    return {
        each.id
        for each in LIST.values()
        if any(typed in words.casefold() for words in (each.name, each.name_en, *each.search))
    }


@pytest.mark.parametrize(
    ("typed", "occupation_id"),
    [
        *[("kuli panggul", "porter"), ("buruh gendong", "porter"), ("tukang angkut", "porter")],
        *[("pedagang sayur", "market_trader"), ("dagang kain", "market_trader"), ("bakul", "market_trader")],
        *[("pkl", "street_vendor"), ("asongan", "street_vendor"), ("pedagang keliling", "street_vendor")],
        *[("tukang bakso", "food_vendor"), ("mie ayam", "food_vendor"), ("jamu", "food_vendor")],
        *[("warkop", "shop_owner"), ("kelontong", "shop_owner"), ("pramuniaga", "shop_helper")],
        *[("olshop", "online_seller"), ("ojol", "ojek_driver"), ("gojek", "ojek_driver")],
        *[("sopir", "angkot_driver"), ("supir angkot", "angkot_driver"), ("bajaj", "angkot_driver")],
        *[("supir bus", "bus_driver"), ("sopir truk", "truck_driver"), ("kurir", "courier")],
        *[("tukang becak", "pedicab_driver"), ("delman", "carriage_driver"), ("kenek", "conductor")],
        *[
            ("perahu", "boat_operator"),
            ("jukir", "parking_attendant"),
            ("tukang parkir", "parking_attendant"),
        ],
        *[("sawah", "farmer"), ("buruh tani", "farm_labourer"), ("ternak ayam", "livestock_farmer")],
        *[("tambak", "fish_farmer"), ("nelayan", "fisher"), ("abk", "fisher")],
        *[("pembantu rumah tangga", "domestic_worker"), ("baby sitter", "child_carer")],
        *[("cuci gosok", "washer"), ("tukang batu", "mason"), ("tukang mebel", "carpenter")],
        *[
            ("instalatir", "electrician"),
            ("bengkel las", "welder"),
            ("kuli bangunan", "construction_labourer"),
        ],
        *[("tambal ban", "mechanic"), ("servis hp", "repairer"), ("tukang jahit", "tailor")],
        *[("sol sepatu", "shoe_repairer"), ("potong rambut", "barber"), ("mua", "beautician")],
        *[("tukang urut", "masseur"), ("katering", "cook"), ("rongsok", "waste_picker")],
        *[("tukang sampah", "refuse_collector"), ("penyapu jalan", "street_cleaner")],
        *[("satpam", "security_guard"), ("marbot", "religious_teacher"), ("guru privat", "private_tutor")],
        *[("pengrajin", "craftsperson"), ("pengamen", "performer"), ("fotografer", "photographer")],
        *[("serabutan", "odd_jobs"), ("buruh harian lepas", "odd_jobs"), ("lainnya", "other")],
    ],
)
def test_everyday_words_find_their_occupation(typed: str, occupation_id: str) -> None:
    assert occupation_id in search(typed)


@each
def test_every_occupation_has_words_for_those_who_do_not_know_its_official_name(
    occupation: Occupation,
) -> None:
    official = {occupation.name.casefold(), occupation.name_en.casefold()}
    assert len(set(occupation.search) - official) >= 3


def test_a_word_does_not_find_so_many_occupations_that_a_list_would_be_long() -> None:
    for occupation in LIST.values():
        for word in occupation.search:
            assert len(search(word)) <= 8, word


@pytest.mark.parametrize("unlisted", ["", "Porter", "porter ", "astronaut", "9333"])
def test_other_ids_are_unknown(unlisted: str) -> None:
    assert not is_known_occupation(unlisted)


@pytest.mark.parametrize("file", sorted(EXAMPLES.rglob("*.jsonl")), ids=lambda file: file.stem)
def test_every_occupation_of_the_examples_is_listed(file: Path) -> None:
    # The examples contain mistakes on purpose, but none in an occupation.
    occupation_ids = {
        occupation
        for line in file.read_text(encoding="utf-8").splitlines()
        for occupation in json.loads(line)["work"]["occupations"]
    }
    assert occupation_ids
    assert occupation_ids <= set(LIST)


@pytest.mark.parametrize(
    "mistake",
    [
        {"id": "Porter"},
        {"search": []},
        {"search": ["kuli", "kuli"]},
        {"isco_08": "0110"},
        {"isco_08": "933"},
        {"sector": "trade"},
        {"icon": "box"},
    ],
    ids=str,
)
def test_a_mistake_in_a_row_is_rejected(mistake: dict[str, Any]) -> None:
    row = read_rows()[0]
    assert read_row(row) == LIST[row["id"]]
    with pytest.raises(ValidationError):
        read_row(row | mistake)


def test_the_list_has_rows_of_the_types_and_limits_of_their_fields() -> None:
    assert list(map(read_row, read_rows())) == list(LIST.values())


def test_no_row_of_the_list_has_a_key_twice() -> None:
    load_data_file(FILE.read_text(encoding="utf-8"))
