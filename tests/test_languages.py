"""The tags by which devices name the two languages."""

import json
import re

import pytest
from pydantic import TypeAdapter, ValidationError

from chalicelib.languages import TaggedLanguage, TaggedWorkerLanguage
from chalicelib.registrations.cleaned_capture import CleanedCapture
from chalicelib.registrations.messages import SubmitRegistration
from tests.support.payloads import make_capture_payload

ADAPTERS: list[TypeAdapter[str]] = [TypeAdapter(TaggedLanguage), TypeAdapter(TaggedWorkerLanguage)]
INDONESIAN = ["id", "in", "in-ID", "in_ID", "id_ID", "id-ID", "ID", "In-id", "in_ID_#Latn", "id_ID.UTF-8"]
ENGLISH = ["en", "en-GB", "en_US", "EN-us", "en-US-u-ca-gregory"]
NEITHER = ["jv", "ms-ID", "inh", "ind", "english", "", "-", "in ID", "in-ID\n", "id,en"]


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("tag", INDONESIAN)
def test_every_way_to_name_indonesian_is_indonesian(adapter: TypeAdapter[str], tag: str) -> None:
    assert adapter.validate_json(json.dumps(tag), strict=True) == "id"


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("tag", ENGLISH)
def test_every_way_to_name_english_is_english(adapter: TypeAdapter[str], tag: str) -> None:
    assert adapter.validate_strings(tag, strict=True) == "en"


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("tag", NEITHER)
def test_another_language_is_refused(adapter: TypeAdapter[str], tag: str) -> None:
    with pytest.raises(ValidationError):
        adapter.validate_json(json.dumps(tag), strict=True)


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("tag", [*INDONESIAN, *ENGLISH, *NEITHER])
def test_the_description_allows_what_the_type_reads(adapter: TypeAdapter[str], tag: str) -> None:
    # `$` of JSON Schema means the end, in Python also before a last line break.
    pattern = adapter.json_schema()["pattern"].replace("$", r"\Z")
    assert bool(re.search(pattern, tag)) == (tag in [*INDONESIAN, *ENGLISH])


@pytest.mark.parametrize("tag", INDONESIAN)
def test_a_capture_has_one_content_however_its_language_is_named(tag: str) -> None:
    def read(language: str) -> SubmitRegistration:
        payload = make_capture_payload(worker={"language": language}, consent={"language": language})
        return SubmitRegistration.model_validate_json(json.dumps(payload), strict=True)

    def serialize(command: SubmitRegistration) -> str:
        return CleanedCapture.from_command(command).serialize_content()

    assert read(tag).worker.language == "id"
    assert serialize(read(tag)) == serialize(read("id"))
