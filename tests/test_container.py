"""The container builds each service once; its AWS clients call the endpoints that the SDK knows."""

import json
from datetime import timedelta
from functools import cached_property
from typing import Any

import botocore.session
import pytest

from chalicelib.aws.clients import AwsClients
from chalicelib.aws.service_data import ServiceDataLoader
from chalicelib.container import Container
from chalicelib.settings import Settings, SettingsIncomplete
from ops.fake_chat.accounts import TELEGRAM_SECRET, WHATSAPP_SECRET
from tests.support.app_loader import load_app, make_container
from tests.support.builders import NOW
from tests.support.fakes.clock import FixedClock
from tests.support.moto_tables import STAGE_ENVIRONMENT

SERVICES = ServiceDataLoader().list_available_services("service-2")


def describe_client(service: str, session: botocore.session.Session) -> tuple[Any, ...]:
    """Return where a client sends its requests and how it signs them."""
    client: Any = session.create_client(service, region_name="ap-southeast-3")
    return (
        client.meta.endpoint_url,
        client.meta.partition,
        client.meta.config.signature_version,
        client.meta.service_model.signing_name,
    )


class RequestMade(Exception):
    """Keeps a request from being sent."""


READ_OPERATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "dynamodb": ("get_item", {"TableName": "t", "Key": {"pk": {"S": "1"}}}),
    "kms": ("describe_key", {"KeyId": "1"}),
    "pinpoint-sms-voice-v2": ("describe_phone_numbers", {}),
    "s3": ("get_object", {"Bucket": "daftar-exports", "Key": "a/b"}),
    "secretsmanager": ("get_secret_value", {"SecretId": "1"}),
    "sesv2": ("get_account", {}),
    "sqs": ("receive_message", {"QueueUrl": "https://sqs.ap-southeast-3.amazonaws.com/0/q"}),
}


def make_request_url(service: str, session: botocore.session.Session, **options: Any) -> str:
    """Return the address that a client would send a request to."""

    def stop(request: Any, **_: Any) -> None:
        raise RequestMade(request.url)

    session.set_credentials("test", "test")
    client: Any = session.create_client(service, region_name="ap-southeast-3", **options)
    client.meta.events.register_first("before-send", stop)
    operation, parameters = READ_OPERATIONS[service]
    with pytest.raises(RequestMade) as request:
        getattr(client, operation)(**parameters)
    return str(request.value)


def make_reduced_session() -> botocore.session.Session:
    session = botocore.session.get_session()
    session.register_component("data_loader", ServiceDataLoader())
    return session


@pytest.mark.parametrize("options", [{}, {"endpoint_url": "http://127.0.0.1:4566"}], ids=["region", "named"])
@pytest.mark.parametrize("service", SERVICES)
def test_requests_go_where_the_sdks_complete_data_sends_them(service: str, options: dict[str, str]) -> None:
    expected = make_request_url(service, botocore.session.get_session(), **options)
    assert make_request_url(service, make_reduced_session(), **options) == expected


@pytest.mark.parametrize("service", SERVICES)
def test_a_client_has_the_endpoint_and_signature_of_the_sdks_complete_data(service: str) -> None:
    assert describe_client(service, make_reduced_session()) == describe_client(
        service, botocore.session.get_session()
    )


def test_a_container_builds_a_service_once_and_another_container_builds_its_own(moto_stage: None) -> None:
    container = make_container()
    assert container.intake is container.intake
    assert container.lifecycle is not make_container().lifecycle


def test_a_container_without_settings_reads_the_environment_on_first_use() -> None:
    container = make_container()
    with pytest.raises(SettingsIncomplete):
        _ = container.settings


def test_an_app_uses_the_settings_and_the_clock_that_it_was_given() -> None:
    settings = Settings({**STAGE_ENVIRONMENT, "DAFTAR_UNPAID_DAYS": "2"})
    _, container = load_app(settings, FixedClock(NOW))
    assert container.settings.payment_period == timedelta(days=2)
    assert container.clock() == NOW


def test_every_service_can_be_built(moto_stage: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "DAFTAR_MAIL_FROM": "daftar@example.id",
        "DAFTAR_GATEWAY_WEIGHTS": "aws=50,twilio=50",
        "DAFTAR_TWILIO_SECRET": "twilio",
        "DAFTAR_TELEGRAM_SECRET": "telegram",
        "DAFTAR_WHATSAPP_SECRET": "whatsapp",
        "DAFTAR_TEXT_GATEWAY_SECRET": "gateway",
        "DAFTAR_PUBLIC_URL": "https://api.example.id/api",
    }.items():
        monkeypatch.setenv(name, value)
    container = make_container()
    services = [name for name in vars(Container) if not name.startswith("_")]
    assert {"intake", "deliveries", "sms_gateway"} <= set(services)
    secrets = {
        "twilio": {"account_sid": "AC1", "auth_token": "token"},
        "telegram": TELEGRAM_SECRET,
        "whatsapp": WHATSAPP_SECRET,
        "gateway": {"token": "invented"},
    }
    for name, secret in secrets.items():
        container.aws.secrets_manager.create_secret(Name=name, SecretString=json.dumps(secret))
    for name in services:
        assert getattr(container, name) is getattr(container, name), name


def test_every_client_is_created_once(moto_stage: None) -> None:
    clients = AwsClients()
    for name in [name for name, each in vars(AwsClients).items() if isinstance(each, cached_property)]:
        assert getattr(clients, name) is getattr(clients, name), name


def test_a_gateway_without_an_account_is_refused(moto_stage: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAFTAR_GATEWAY_WEIGHTS", "twilio=100")
    with pytest.raises(SettingsIncomplete, match="DAFTAR_TWILIO_SECRET"):
        _ = make_container().sms_gateway
