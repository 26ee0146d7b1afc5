"""The environment: read whole, or refused by the names of what is missing."""

import pytest

from chalicelib.settings import Settings, SettingsIncomplete
from tests.support.moto_tables import STAGE_ENVIRONMENT


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in STAGE_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_a_whole_environment_is_read(environment: pytest.MonkeyPatch) -> None:
    settings = Settings.from_environment()
    assert settings.registrations_table == "RegistrationsTable"
    assert settings.sms_configuration_set == ""


def test_what_else_stands_in_the_environment_does_not_matter(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DAFTAR_OF_LATER", "…")
    assert Settings.from_environment()


@pytest.mark.parametrize("name", STAGE_ENVIRONMENT)
def test_a_missing_variable_is_named(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)
    with pytest.raises(SettingsIncomplete) as incomplete:
        Settings.from_environment()
    assert str(incomplete.value) == f"set these environment variables to a usable value: {name}"


def test_every_missing_variable_is_named_at_once() -> None:
    with pytest.raises(SettingsIncomplete) as incomplete:
        Settings.from_environment()
    for name in STAGE_ENVIRONMENT:
        assert name in str(incomplete.value)


def test_a_sender_that_is_empty_is_as_bad_as_a_missing_one(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DAFTAR_SMS_ORIGINATION_IDENTITY", "")
    with pytest.raises(SettingsIncomplete, match="DAFTAR_SMS_ORIGINATION_IDENTITY"):
        Settings.from_environment()


def test_who_may_register_and_when_an_unpaid_application_expires_may_be_left_to_the_rules(
    environment: pytest.MonkeyPatch,
) -> None:
    assert (Settings.from_environment().minimum_age, Settings.from_environment().unpaid_days) == (17, 30)
    environment.setenv("DAFTAR_MINIMUM_AGE", "15")
    environment.setenv("DAFTAR_UNPAID_DAYS", "60")
    assert (Settings.from_environment().minimum_age, Settings.from_environment().unpaid_days) == (15, 60)


def test_how_long_tokens_are_good_and_how_much_is_taken_in_a_day_may_be_left_to_the_rules(
    environment: pytest.MonkeyPatch,
) -> None:
    settings = Settings.from_environment()
    assert (settings.token_days, settings.token_overlap_hours) == (90, 24)
    assert (settings.device_daily_flag, settings.device_daily_cap) == (300, 1_500)
    assert (settings.bot_daily_flag, settings.bot_daily_cap) == (100_000, 250_000)
    assert (settings.phone_daily_flag, settings.phone_daily_cap) == (5, 50)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DAFTAR_MINIMUM_AGE", "65"),
        ("DAFTAR_MINIMUM_AGE", "-1"),
        ("DAFTAR_MINIMUM_AGE", "seventeen"),
        ("DAFTAR_UNPAID_DAYS", "0"),
        ("DAFTAR_UNPAID_DAYS", ""),
        ("DAFTAR_TOKEN_DAYS", "0"),
        ("DAFTAR_TOKEN_OVERLAP_HOURS", "721"),
        ("DAFTAR_DEVICE_DAILY_FLAG", "-1"),
        ("DAFTAR_BOT_DAILY_CAP", "many"),
        ("DAFTAR_PHONE_DAILY_CAP", "0"),
    ],
)
def test_a_limit_that_cannot_be_kept_is_named(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsIncomplete, match=name):
        Settings.from_environment()


def test_a_value_is_never_repeated_in_the_message(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DAFTAR_FIELD_KEY_ARN", "arn:of:a:key")
    environment.delenv("DAFTAR_STAGE")
    with pytest.raises(SettingsIncomplete) as incomplete:
        Settings.from_environment()
    assert "arn:of:a:key" not in f"{incomplete.value!r}"
    assert incomplete.value.__cause__ is None


def test_every_setting_says_what_it_is() -> None:
    for name, setting in Settings.model_fields.items():
        assert setting.alias, name
        assert setting.description, name
