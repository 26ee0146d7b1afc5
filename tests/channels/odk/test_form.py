"""The form for ODK Collect: valid, in both languages, and immutable under its version."""

import re
import subprocess
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.campaigns.model import Campaign
from chalicelib.channels.odk.forms import Form, build_form, is_known_version, load_definitions
from chalicelib.registrations.rules import AgeLimits
from ops.odk.xform import build_xform, build_xlsform
from tests.support.javarosa.engine import JAR, is_java_installed
from tests.support.payloads import make_campaign_payload

JR = "{http://openrosa.org/javarosa}"
XFORMS = "{http://www.w3.org/2002/xforms}"


def test_a_definition_keeps_its_content_under_its_version() -> None:
    """Phones hold forms for months: a change needs a new version, which is added to versions.json."""
    *_, newest = load_definitions().values()
    assert newest == sha256(build_xform().encode()).hexdigest()


def test_the_form_is_made_the_same_every_time() -> None:
    build_xform.cache_clear()
    assert build_xlsform() == build_xlsform()
    assert sha256(build_xform().encode()).hexdigest() == list(load_definitions().values())[-1]


@pytest.mark.skipif(not is_java_installed(), reason="needs a JDK (.ci/run installs one)")
def test_odk_validate_finds_nothing_wrong(form: Form, tmp_path: Path) -> None:
    file = tmp_path / "form.xml"
    file.write_bytes(form.file.content)
    done = subprocess.run(
        ["java", "-Djava.awt.headless=true", "-jar", str(JAR), str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_text_is_in_both_languages(form: Form) -> None:
    root = ElementTree.fromstring(form.file.content)  # noqa: S314 - our own form
    texts = {
        translation.attrib["lang"]: {
            text.attrib["id"]: ["".join(value.itertext()) for value in text] for text in translation
        }
        for translation in root.iter(f"{XFORMS}translation")
    }
    indonesian, english = texts.values()
    assert list(texts) == ["Bahasa Indonesia (id)", "English (en)"]
    assert indonesian.keys() == english.keys()
    assert not [name for name, values in (indonesian | english).items() if "-" in values or "" in values]


def test_every_constraint_says_what_to_do(form: Form) -> None:
    root = ElementTree.fromstring(form.file.content)  # noqa: S314 - our own form
    binds = [bind.attrib for bind in root.iter(f"{XFORMS}bind") if "constraint" in bind.attrib]
    assert len(binds) > 10
    assert [bind["nodeset"] for bind in binds if f"{JR}constraintMsg" not in bind] == []


def test_no_placeholder_is_left_open(form: Form) -> None:
    assert re.findall(r"@@|{[a-z_]+}", form.file.content.decode()) == []


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=120))
def test_a_campaign_of_any_name_has_a_well_formed_form(form: Form, name: str) -> None:
    campaign = Campaign.model_validate(make_campaign_payload()).model_copy(update={"name": name})
    content = build_form(campaign, AgeLimits()).file.content
    root = ElementTree.fromstring(content)  # noqa: S314 - our own form
    [title] = root.iter("{http://www.w3.org/1999/xhtml}title")
    assert title.text == name


def test_other_values_of_a_campaign_or_of_the_stage_make_another_version(
    campaign: Campaign, form: Form
) -> None:
    others = [
        build_form(campaign.model_copy(update={"name": "Pasar Senen"}), AgeLimits()),
        build_form(campaign.model_copy(update={"last_day": campaign.accepts_until}), AgeLimits()),
        build_form(campaign, AgeLimits(minimum_age=18)),
    ]
    versions = {form.version, *(each.version for each in others)}
    assert len(versions) == 4
    assert all(map(is_known_version, versions))
