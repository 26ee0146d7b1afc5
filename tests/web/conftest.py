"""Fixtures of the tests of the web app."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.device_builders import make_bundle_service
from tests.support.javascript import JavaScriptRules, run_rules
from tests.support.registration_builders import CAMPAIGN_ID


class Bundle(dict[str, Any]):
    """A parsed bundle, without its content in messages of failed tests."""

    def __repr__(self) -> str:
        return "<bundle>"


SPONSORS = [{"sponsor_id": "toko-contoh", "name": "Toko Contoh", "quota": 5}]


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """Return the bundle of a campaign with a sponsor, as a device parses it."""
    view = make_bundle_service(sponsors=SPONSORS).build(CAMPAIGN_ID)
    return Bundle(json.loads(view.model_dump_json(exclude_defaults=True)))


@pytest.fixture(scope="session")
def javascript_rules() -> Iterator[JavaScriptRules]:
    """Yield the rules of the web app in a running Node."""
    yield from run_rules()
