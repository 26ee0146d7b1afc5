"""The form of a campaign for ODK Collect, and the files that it needs.

Packaging makes one form for all campaigns (`form.xml`, from ops/odk/form.yaml). A campaign's own values are
filled in when it is served. The version names the definition and these values, so that the content of a
version never changes.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import md5, sha256
from html import escape
from io import StringIO
from pathlib import Path

from chalicelib.campaigns.model import Campaign
from chalicelib.channels.odk.prices import IncomeBand, Price
from chalicelib.models import FrozenModel
from chalicelib.occupations.model import load_occupations
from chalicelib.registrations.rules import AgeLimits
from chalicelib.rupiah import format_rupiah
from chalicelib.strict_json import parse_data_file

_FORM_FILE = Path(__file__).with_name("form.xml")
_VERSIONS_FILE = Path(__file__).with_name("versions.json")
_PLACEHOLDER = re.compile(r"@@([a-z_]+)@@")
_VERSION = re.compile(r"([0-9]{10})-[0-9a-f]{8}")
_DIGEST_LENGTH = 8
PHOTO_FIELD = "worker.card_photo"
"""The answer that names the file of the photo, in a form that asks for one."""

# XPath has no way to write an apostrophe in a string between apostrophes.
_APOSTROPHE_IN_XPATH = "\N{RIGHT SINGLE QUOTATION MARK}"


class _Versions(FrozenModel):
    """The data file; its other entry describes it."""

    definitions: Mapping[str, str]


@dataclass(frozen=True)
class File:
    """A file that Collect downloads."""

    name: str
    content: bytes

    @property
    def hash(self) -> str:
        """Return the digest by which Collect sees that a file has changed. It protects nothing."""
        return f"md5:{md5(self.content, usedforsecurity=False).hexdigest()}"


@dataclass(frozen=True)
class Form:
    """One version of the form of a campaign. Its id is the campaign's."""

    form_id: str
    name: str
    version: str
    file: File


@cache
def load_definitions() -> Mapping[str, str]:
    """Return the digest of each definition of the form, by its version, the newest last."""
    return parse_data_file(_Versions, _VERSIONS_FILE.read_text(encoding="utf-8")).definitions


@cache
def _load_template() -> str:
    return _FORM_FILE.read_text(encoding="utf-8")


def build_form(campaign: Campaign, age_limits: AgeLimits, *, asks_for_photo: bool = False) -> Form:
    """Return the form of a campaign as it is now."""
    values = {
        "form_id": campaign.campaign_id,
        "title": campaign.name,
        "title_in_xpath": campaign.name.replace("'", _APOSTROPHE_IN_XPATH),
        "first_day": f"{campaign.first_day:%Y%m%d}",
        "last_day": f"{campaign.last_day:%Y%m%d}",
        "minimum_age": str(age_limits.minimum_age),
        "below_age": str(age_limits.below_age),
        "asks_for_photo": "yes" if asks_for_photo else "no",
    }
    definition = list(load_definitions())[-1]
    digest = sha256("\n".join(values.values()).encode()).hexdigest()[:_DIGEST_LENGTH]
    version = f"{definition}-{digest}"
    content = _fill({**values, "version": version}).encode()
    return Form(campaign.campaign_id, campaign.name, version, File("form.xml", content))


def _fill(values: Mapping[str, str]) -> str:
    escaped = {name: escape(value) for name, value in values.items()}
    return _PLACEHOLDER.sub(lambda found: escaped[found[1]], _load_template())


def is_known_version(version: str) -> bool:
    """Return True for a version that may have been served: of a known definition, with any campaign's values.

    A phone may send what was taken with the form as it was before the campaign changed.
    """
    found = _VERSION.fullmatch(version)
    return found is not None and found[1] in load_definitions()


@cache
def build_occupations_file() -> File:
    """Return the list of occupations. Collect searches the label, so it has the search words too."""
    rows = (
        {"name": each.id, "label": f"{each.name} ({', '.join(each.search)})", "sector": each.sector}
        for each in load_occupations().values()
    )
    return _make_csv("occupations.csv", ("name", "label", "sector"), rows)


def build_sponsors_file(campaign: Campaign) -> File:
    rows = ({"name": each.sponsor_id, "label": each.name} for each in campaign.sponsors)
    return _make_csv("sponsors.csv", ("name", "label"), rows)


def build_incomes_file(bands: Iterable[IncomeBand]) -> File:
    return _make_csv("incomes.csv", ("name", "income_from", "income_below"), map(vars, bands))


def build_prices_file(prices: Iterable[Price]) -> File:
    rows = ({"name": each.name, "total": each.total, "text": format_rupiah(each.total)} for each in prices)
    return _make_csv("prices.csv", ("name", "total", "text"), rows)


def _make_csv(name: str, columns: tuple[str, ...], rows: Iterable[Mapping[str, object]]) -> File:
    out = StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return File(name, out.getvalue().encode())
