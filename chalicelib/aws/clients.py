"""The AWS clients of the product, with time-outs and retries that suit what each is used for."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session

# Two attempts of 1 + 1.5 seconds and a pause below one second: a caller gets "try again" within 5
# seconds. With botocore's defaults the request would take 25 seconds and more.
_TWO_ATTEMPTS = Config(
    connect_timeout=1,
    read_timeout=1.5,
    retries={"mode": "standard", "total_max_attempts": 2},
    tcp_keepalive=True,
    max_pool_connections=10,
    # A fifth of a registration's CPU: the SDK's serializer builds what is sent, and AWS checks it again.
    parameter_validation=False,
)

# Sending an SMS or a mail has no idempotency key: a retry by the SDK could send it twice.
_SINGLE_ATTEMPT = Config(
    connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 1}
)

# An export stores some megabytes in one request, and nobody waits for it.
_LONG_TIMEOUT = Config(
    connect_timeout=2, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3}
)

# A photo has up to four megabytes, and API Gateway waits for 29 seconds.
# S3 serves what KMS encrypts to addresses with version 4 of the signature only.
_PHOTO = Config(
    connect_timeout=1,
    read_timeout=8,
    retries={"mode": "standard", "total_max_attempts": 2},
    signature_version="s3v4",
)

# For writes that may fail without harm while a caller waits.
_SHORT_TIMEOUT = Config(
    connect_timeout=0.3, read_timeout=0.3, retries={"mode": "standard", "total_max_attempts": 1}
)

# botocore would put together some 20 facts about itself and its machine for each request.
_NAMED = Config(user_agent="daftar")

# The rule by which AWS names endpoints. It has no exception among these services.
_ENDPOINT_RULES = {
    "partitions": [
        {
            "partition": "aws",
            "dnsSuffix": "amazonaws.com",
            "regions": {},
            "defaults": {
                "hostname": "{service}.{region}.{dnsSuffix}",
                "protocols": ["https"],
                "signatureVersions": ["v4"],
            },
            "services": {},
        }
    ]
}

# The names of services in their endpoints, which have no other part than the region. S3's have the bucket.
_HOSTS = {
    "dynamodb": "dynamodb",
    "kms": "kms",
    "pinpoint-sms-voice-v2": "sms-voice",
    "secretsmanager": "secretsmanager",
    "sesv2": "email",
    "sqs": "sqs",
}


class ServiceDataLoader(Loader):
    """Loads the SDK's data for the services of the product only.

    The SDK's own loader would list some 900 directories on each cold start to find the services, and read
    1.2 MB of rules and exceptions to find their endpoints. For each request it would go through a service's
    own rules, which for DynamoDB ask for the names of all tables in it.
    """

    def list_available_services(self, type_name: str) -> list[str]:
        return sorted([*_HOSTS, "s3"])

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Mapping[str, Any]:
        if type_name == "endpoint-rule-set-1" and service_name in _HOSTS:
            return _build_endpoint_rules(_HOSTS[service_name])
        loaded: Mapping[str, Any] = super().load_service_model(service_name, type_name, api_version)
        return loaded

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        if name == "endpoints":
            return _ENDPOINT_RULES, self.BUILTIN_DATA_PATH
        return super().load_data_with_path(name)


def _build_endpoint_rules(host: str) -> Mapping[str, Any]:
    """Return the rules of a service: the endpoint that the environment names, or that of the region."""

    def name_endpoint(url: object, *conditions: object) -> Mapping[str, Any]:
        endpoint = {"url": url, "properties": {}, "headers": {}}
        return {"type": "endpoint", "conditions": list(conditions), "endpoint": endpoint}

    return {
        "version": "1.0",
        "parameters": {
            "Region": {"type": "String", "builtIn": "AWS::Region"},
            "Endpoint": {"type": "String", "builtIn": "SDK::Endpoint"},
        },
        "rules": [
            name_endpoint({"ref": "Endpoint"}, {"fn": "isSet", "argv": [{"ref": "Endpoint"}]}),
            name_endpoint(
                f"https://{host}.{{Region}}.amazonaws.com", {"fn": "isSet", "argv": [{"ref": "Region"}]}
            ),
        ],
    }


def create_session() -> Session:
    """Return a session that reads as little of the SDK's data as the product needs.

    It is botocore's, which makes boto3's clients too. boto3 itself would import what they do without:
    resources, transfers of files to S3 and, for these, `multiprocessing`.
    """
    session = botocore.session.get_session()
    session.register_component("data_loader", ServiceDataLoader())
    return session


class AwsClients:
    """AWS clients, each created on first use."""

    def __init__(self, session: Session | None = None) -> None:
        self._given_session = session

    def forget(self) -> None:
        """Forget the clients, with their connections, and the session with its credentials."""
        self.__dict__ = {"_given_session": self._given_session}

    @cached_property
    def dynamodb(self) -> Any:
        """DynamoDB, for all that a caller waits for."""
        return self._create("dynamodb", _TWO_ATTEMPTS)

    @cached_property
    def best_effort_dynamodb(self) -> Any:
        """DynamoDB, for writes that may fail without harm."""
        return self._create("dynamodb", _SHORT_TIMEOUT)

    @cached_property
    def kms(self) -> Any:
        return self._create("kms", _TWO_ATTEMPTS)

    @cached_property
    def secrets_manager(self) -> Any:
        return self._create("secretsmanager", _TWO_ATTEMPTS)

    @cached_property
    def sqs(self) -> Any:
        return self._create("sqs", _TWO_ATTEMPTS)

    @cached_property
    def s3(self) -> Any:
        return self._create("s3", _LONG_TIMEOUT)

    @cached_property
    def photos_s3(self) -> Any:
        """S3 for a photo, while the phone that sent it waits."""
        return self._create("s3", _PHOTO)

    @cached_property
    def sms(self) -> Any:
        """End User Messaging SMS."""
        return self._create("pinpoint-sms-voice-v2", _SINGLE_ATTEMPT)

    @cached_property
    def ses(self) -> Any:
        return self._create("sesv2", _SINGLE_ATTEMPT)

    @cached_property
    def _session(self) -> Session:
        return self._given_session or create_session()

    def _create(self, service: str, config: Config) -> Any:
        return self._session.create_client(service, config=config.merge(_NAMED))
