"""The AWS clients of the product, with time-outs and retries that suit what each is used for."""

from functools import cached_property
from typing import Any

from botocore.config import Config
from botocore.session import Session

from chalicelib.aws.serializers import ItemSerializer
from chalicelib.aws.sessions import create_session

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
        return self._create_dynamodb(_TWO_ATTEMPTS)

    @cached_property
    def best_effort_dynamodb(self) -> Any:
        """DynamoDB, for writes that may fail without harm."""
        return self._create_dynamodb(_SHORT_TIMEOUT)

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

    def _create_dynamodb(self, config: Config) -> Any:
        client = self._create("dynamodb", config)
        client._serializer = ItemSerializer()
        return client

    def _create(self, service: str, config: Config) -> Any:
        return self._session.create_client(service, config=config.merge(_NAMED))
