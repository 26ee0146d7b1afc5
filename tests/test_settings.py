"""Settings: read from the environment, or refused by the names of the variables at fault."""

from datetime import timedelta

import pytest

from chalicelib.callers import DailyCap
from chalicelib.setting_values import parse_days, parse_digits, parse_hours, parse_minutes
from chalicelib.settings import Settings, SettingsIncomplete
from tests.support.moto_tables import STAGE_ENVIRONMENT


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in STAGE_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_a_complete_environment_is_read(environment: pytest.MonkeyPatch) -> None:
    settings = Settings.from_environment()
    assert settings.registrations_table == "RegistrationsTable"
    assert settings.sms_configuration_set == ""


def test_other_variables_are_ignored(environment: pytest.MonkeyPatch) -> None:
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


def test_an_empty_originator_is_refused(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DAFTAR_SMS_ORIGINATION_IDENTITY", "")
    with pytest.raises(SettingsIncomplete, match="DAFTAR_SMS_ORIGINATION_IDENTITY"):
        Settings.from_environment()


def test_limits_of_registration_have_defaults(
    environment: pytest.MonkeyPatch,
) -> None:
    settings = Settings.from_environment()
    assert (settings.minimum_age, settings.payment_period) == (17, timedelta(days=30))
    environment.setenv("DAFTAR_MINIMUM_AGE", "15")
    environment.setenv("DAFTAR_UNPAID_DAYS", "60")
    settings = Settings.from_environment()
    assert (settings.minimum_age, settings.payment_period) == (15, timedelta(days=60))


def test_limits_of_clients_have_defaults(
    environment: pytest.MonkeyPatch,
) -> None:
    settings = Settings.from_environment()
    assert (settings.token_lifetime, settings.token_overlap) == (timedelta(days=90), timedelta(hours=24))
    assert settings.device_caps == DailyCap(flag=300, cap=1_500)
    assert settings.bot_caps == DailyCap(flag=100_000, cap=250_000)
    assert settings.phone_caps == DailyCap(flag=5, cap=50)


def test_lists_and_weights_are_parsed(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DAFTAR_GATEWAY_WEIGHTS", "aws=70,twilio=30")
    environment.setenv("DAFTAR_REPORT_SMS", "provisional,final")
    settings = Settings.from_environment()
    assert settings.weight_by_gateway == {"aws": 70, "twilio": 30}
    assert settings.report_sms_states == ("provisional", "final")
    environment.setenv("DAFTAR_REPORT_SMS", "none")
    assert Settings.from_environment().report_sms_states == ()


def test_twilios_url_is_known_only_with_an_account(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DAFTAR_PUBLIC_URL", "https://api.example.id/api")
    assert Settings.from_environment().twilio_public_url is None
    environment.setenv("DAFTAR_TWILIO_SECRET", "twilio")
    assert Settings.from_environment().twilio_public_url == "https://api.example.id/api"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DAFTAR_MINIMUM_AGE", "65"),
        ("DAFTAR_MINIMUM_AGE", "-1"),
        ("DAFTAR_MINIMUM_AGE", "seventeen"),
        ("DAFTAR_UNPAID_DAYS", "0"),
        ("DAFTAR_UNPAID_DAYS", ""),
        ("DAFTAR_UNPAID_DAYS", "9999999999"),
        ("DAFTAR_TOKEN_DAYS", "0"),
        ("DAFTAR_TOKEN_OVERLAP_HOURS", "721"),
        ("DAFTAR_DEVICE_DAILY_FLAG", "-1"),
        ("DAFTAR_BOT_DAILY_CAP", "many"),
        ("DAFTAR_PHONE_DAILY_CAP", "0"),
        ("DAFTAR_GATEWAY_WEIGHTS", "aws=many"),
        ("DAFTAR_GATEWAY_WEIGHTS", "smoke=100"),
        ("DAFTAR_GATEWAY_WEIGHTS", "aws=1,aws=2"),
        ("DAFTAR_GATEWAY_WEIGHTS", "aws=070"),
        ("DAFTAR_REPORT_SMS", "final,provisional"),
        ("DAFTAR_TELLS_KNOWN_WORKERS", "yes"),
        ("DAFTAR_TELLS_KNOWN_WORKERS", "1"),
        ("DAFTAR_SMS_MAX_PRICE", "0,5"),
        ("DAFTAR_TWILIO_URL", "ftp://gateway.example"),
        ("DAFTAR_PUBLIC_URL", "gateway.example"),
        ("DAFTAR_APP_URL", "https://{host}/app"),
        ("DAFTAR_MAIL_FROM", "Daftar <daftar@pasar.example>"),
        ("DAFTAR_MAIL_REPLY_TO", "daftar@pasar.example\n"),
        ("DAFTAR_TELEGRAM_URL", "api.telegram.example"),
        ("DAFTAR_WHATSAPP_URL", "graph.example"),
        ("DAFTAR_WHATSAPP_TEMPLATE", "Two words"),
        ("DAFTAR_SMS_PARTS_A_SECOND", "inf"),
        ("DAFTAR_SMS_PARTS_A_SECOND", "nan"),
        ("DAFTAR_SMS_PARTS_A_SECOND", "1e3"),
        ("DAFTAR_SMS_PARTS_A_SECOND", "0"),
    ],
)
def test_an_unusable_value_is_named(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    with pytest.raises(SettingsIncomplete, match=name):
        Settings.from_environment()


def test_the_message_never_repeats_a_value(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DAFTAR_FIELD_KEY_ARN", "arn:of:a:key")
    environment.delenv("DAFTAR_STAGE")
    with pytest.raises(SettingsIncomplete) as incomplete:
        Settings.from_environment()
    assert "arn:of:a:key" not in f"{incomplete.value!r}"
    assert incomplete.value.__cause__ is None


def test_every_setting_has_a_variable_and_a_description() -> None:
    for name, setting in Settings.fields.items():
        assert setting.variable, name
        assert setting.description, name


_NUMBERS = sorted(
    setting.variable
    for setting in Settings.fields.values()
    if setting.parse in {parse_digits, parse_minutes, parse_hours, parse_days}
)


@pytest.mark.parametrize("name", _NUMBERS)
@pytest.mark.parametrize("value", ["+20", " 20", "2_0", "20.0", "020", "\u0662\u0660", "20\n"])
def test_a_number_is_written_in_digits_alone(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, "20")
    assert Settings.from_environment()
    environment.setenv(name, value)
    with pytest.raises(SettingsIncomplete, match=name):
        Settings.from_environment()
