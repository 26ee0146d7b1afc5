"""The rules of intake in the form for ODK Collect: patterns that XPath's `regex` judges by."""

import re

from chalicelib.devices.consent_texts import load_consent_texts
from chalicelib.registrations import nik, rules
from chalicelib.registrations.numbering import read_numbering_plan
from chalicelib.registrations.worker import Work

_SHORTEST = "[0-9]{9}"  # A mobile number of the fewest digits.

_DAYS = "(?:0[1-9]|1[0-9]|2[0-8]|4[1-9]|5[0-9]|6[0-8])(?:0[1-9]|1[0-2])[0-9]{2}"
_DAY_29 = "(?:29|69)(?:(?:0[13-9]|1[0-2])[0-9]{2}|02(?:[02468][048]|[13579][26]))"
_DAY_30 = "(?:30|70)(?:0[13-9]|1[0-2])[0-9]{2}"
_DAY_31 = "(?:31|71)(?:0[13578]|1[02])[0-9]{2}"


def list_rules() -> dict[str, str]:
    """Return the texts that stand for `{name}` in form.yaml. Java and JavaScript read the patterns alike."""
    consent = load_consent_texts()[0]
    return {
        "nik_pattern": make_nik_pattern(),
        "phone_pattern": make_phone_pattern(),
        "name_pattern": make_name_pattern(),
        "postal_code_pattern": f"^{rules.POSTAL_CODE.pattern}$",
        "max_occupations": str(_read_max_occupations()),
        "consent_id": consent.text["id"],
        "consent_en": consent.text["en"],
        "consent_version": consent.version,
    }


def make_nik_pattern() -> str:
    """Return the pattern of a NIK without separators: province, place, birth date and serial."""
    provinces = "|".join(sorted(nik.PROVINCES))
    dates = "|".join((_DAYS, _DAY_29, _DAY_30, _DAY_31))
    return f"^(?:{provinces})[0-9]{{4}}(?:{dates})(?!{nik.NO_SERIAL})[0-9]{{4}}$"


def make_phone_pattern() -> str:
    """Return the pattern of a mobile number without punctuation, in every form that people dial.

    The country's code alone, without a sign, stands before ten digits or more: with nine the whole could be a
    number within the country.
    """
    plan = read_numbering_plan()
    country, trunk = re.escape(plan.country_code), re.escape(plan.trunk_prefix)
    national = plan.national_pattern.replace(r"\d", "[0-9]")
    return f"^(?!{country}{_SHORTEST}$)(?:(?:[+]|00)?{country}{trunk}?|{trunk})?{national}$"


def make_name_pattern() -> str:
    """Return the pattern of a name: without the ASCII digits and signs that no name has."""
    return r"""^[^0-9!"#$%&()*+/:;<=>?@\[\]\\^_{|}~]+$"""


def _read_max_occupations() -> int:
    limits = Work.model_json_schema()["properties"]["occupations"]
    return int(limits["maxItems"])
