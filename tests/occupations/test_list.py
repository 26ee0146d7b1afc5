"""The shipped list of occupations: ids that stay, words that people search by, and the sector of each."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.occupations import model
from chalicelib.occupations.model import Occupation, find_sector, is_known_occupation, load_occupations

LIST = load_occupations()
FILE = Path(model.__file__).with_name("occupations.json")
EXAMPLES = Path(__file__).parents[2] / "examples"

# Ids that devices hold and registrations were stored under. A row may be added; none of these may go.
GIVEN_OUT = """
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

each = pytest.mark.parametrize("occupation", LIST.values(), ids=LIST)


def test_no_two_rows_share_an_id() -> None:
    rows = json.loads(FILE.read_text(encoding="utf-8"))["occupations"]
    assert len(rows) == len(LIST)


def test_no_id_that_was_given_out_has_gone() -> None:
    assert set(GIVEN_OUT.split()) <= set(LIST)


def test_no_two_occupations_share_a_name() -> None:
    for names in ([each.name for each in LIST.values()], [each.name_en for each in LIST.values()]):
        assert len({name.casefold() for name in names}) == len(names)


@each
def test_an_id_is_a_plain_word_that_a_capture_may_carry(occupation: Any) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]{1,39}", occupation.id)


@each
def test_search_words_are_what_people_type(occupation: Any) -> None:
    assert occupation.search
    for word in occupation.search:
        assert word == word.strip().lower()
        assert re.fullmatch(r"[a-z][a-z-]*( [a-z-]+)*", word), word
    assert len(set(occupation.search)) == len(occupation.search)


@each
def test_the_unit_group_is_one_of_isco(occupation: Any) -> None:
    # Unit groups have four digits, of which the first is the major group, 1 to 9; the armed forces are no
    # informal workers.
    assert re.fullmatch(r"[1-9][0-9]{3}", occupation.isco_08)


def test_exactly_those_who_move_people_or_goods_are_in_transport() -> None:
    found = {each.id: each.isco_08 for each in LIST.values() if each.sector == "transport"}
    assert found == TRANSPORT


@pytest.mark.parametrize("occupation_id", ["porter", "market_trader", "parking_attendant", "other"])
def test_everyone_else_is_not(occupation_id: str) -> None:
    assert find_sector((occupation_id,)) == "other"


def test_somebody_whose_work_is_not_listed_can_be_registered() -> None:
    assert is_known_occupation("other")


@pytest.mark.parametrize(
    ("word", "occupation_id"),
    [
        ("kuli panggul", "porter"),
        ("jukir", "parking_attendant"),
        ("ojol", "ojek_driver"),
        ("pkl", "street_vendor"),
        ("serabutan", "odd_jobs"),
    ],
)
def test_everyday_words_find_their_occupation(word: str, occupation_id: str) -> None:
    assert occupation_id in {each.id for each in LIST.values() if word in each.search}


@pytest.mark.parametrize("unlisted", ["", "Porter", "porter ", "astronaut", "9333"])
def test_nothing_else_is_known(unlisted: str) -> None:
    assert not is_known_occupation(unlisted)


@pytest.mark.parametrize("file", sorted(EXAMPLES.rglob("*.jsonl")), ids=lambda file: file.stem)
def test_every_occupation_of_the_examples_is_listed(file: Any) -> None:
    # The examples hold captures with slips on purpose; none of them is in the occupation.
    used = {
        occupation
        for line in file.read_text(encoding="utf-8").splitlines()
        for occupation in json.loads(line)["work"]["occupations"]
    }
    assert used
    assert used <= set(LIST)


@pytest.mark.parametrize(
    "slip",
    [
        {"id": "Porter"},
        {"search": []},
        {"isco_08": "0110"},
        {"isco_08": "933"},
        {"sector": "trade"},
        {"icon": "box"},
    ],
    ids=str,
)
def test_a_slip_in_a_row_is_found_when_it_is_read(slip: dict[str, Any]) -> None:
    row = LIST["porter"].model_dump()
    assert Occupation.model_validate(row) == LIST["porter"]
    with pytest.raises(ValidationError):
        Occupation.model_validate({**row, **slip})
