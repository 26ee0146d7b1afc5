"""The form of the example's campaign, and ODK's engine with it."""

import json
from datetime import UTC, datetime

import pytest

from chalicelib.campaigns.model import Campaign
from chalicelib.channels.odk.forms import (
    File,
    Form,
    build_form,
    build_incomes_file,
    build_occupations_file,
    build_prices_file,
    build_sponsors_file,
)
from chalicelib.channels.odk.prices import iter_prices, list_income_bands
from chalicelib.contributions.rules import load_rules
from chalicelib.contributions.service import QuoteService
from chalicelib.registrations.rules import AgeLimits
from ops.odk.xform import write_xform
from ops.project import EXAMPLE_DIR
from tests.support.javarosa.engine import FormEngine

NOW = datetime(2024, 10, 9, 10, 0, tzinfo=UTC)
FIRST_MONTH = "2024-10"


@pytest.fixture(scope="session")
def campaign() -> Campaign:
    return Campaign.model_validate(json.loads((EXAMPLE_DIR / "campaign.json").read_text()))


@pytest.fixture(scope="session")
def quotes() -> QuoteService:
    return QuoteService(rules=load_rules(), clock=lambda: NOW)


@pytest.fixture(scope="session")
def form(campaign: Campaign) -> Form:
    write_xform()
    return build_form(campaign, AgeLimits())


@pytest.fixture(scope="session")
def media(campaign: Campaign, quotes: QuoteService) -> list[File]:
    return [
        build_occupations_file(),
        build_sponsors_file(campaign),
        build_incomes_file(list_income_bands(FIRST_MONTH)),
        build_prices_file(iter_prices(FIRST_MONTH, quotes)),
    ]


@pytest.fixture(scope="session")
def engine(form: Form, media: list[File], tmp_path_factory: pytest.TempPathFactory) -> FormEngine:
    files = {file.name: file.content for file in media}
    return FormEngine(form.file.content, files, tmp_path_factory.mktemp("form"))
