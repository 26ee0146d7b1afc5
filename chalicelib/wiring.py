"""The one builder of clients, stores and services; each is built on first use and kept for the life of the
container.

What takes a capture in is imported with this module, before the first request. What only other routes and
functions need is imported by its builder: the cold start of the API, which somebody waits for, would pay for
it.
"""

import json
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

from chalicelib import observability
from chalicelib.callers import DailyCap, Role
from chalicelib.campaigns.service import CampaignService
from chalicelib.campaigns.store import DynamoCampaigns
from chalicelib.clients.caps import DailyCapLimiter
from chalicelib.clients.service import ClientRegistry, LastSeenTracker, Token, TokenLifetime
from chalicelib.clients.store import DynamoClients, DynamoDayCounts, DynamoLastSeenStore
from chalicelib.contributions.rules import load_rules
from chalicelib.contributions.service import QuoteService
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.crypto.keyring import Keyring
from chalicelib.crypto.kms import KMSKeyWrapper
from chalicelib.data_requests.store import DynamoDataRequests, DynamoWrappedKeys
from chalicelib.registrations.intake import IntakeLimits, IntakeService
from chalicelib.registrations.rules import AgeLimits
from chalicelib.registrations.store import DynamoRegistrations, DynamoWorkers
from chalicelib.settings import SettingsIncomplete, settings

if TYPE_CHECKING:
    from chalicelib.data_requests.service import DataRequestService
    from chalicelib.deliveries.model import Medium
    from chalicelib.deliveries.service import ReportChannel, ReportDeliveryService
    from chalicelib.exports.service import ExportService
    from chalicelib.messaging.gateways import Gateway
    from chalicelib.messaging.routing import GatewayRouter
    from chalicelib.messaging.store import DynamoSendRateLimiter
    from chalicelib.messaging.twilio import TwilioAccount
    from chalicelib.notifications.due_sms import DueSmsQueuer
    from chalicelib.notifications.queues import SQSReceiptSink
    from chalicelib.notifications.service import NotificationService
    from chalicelib.notifications.store_ledger import DynamoSmsLedger
    from chalicelib.notifications.store_opt_outs import DynamoOptOutStore
    from chalicelib.registrations.erasure import ErasureService
    from chalicelib.registrations.lifecycle import LifecycleService
    from chalicelib.registrations.stream import StreamPublisher
    from chalicelib.rollups.board import BoardService
    from chalicelib.rollups.service import RollUpService
    from chalicelib.rollups.store import DynamoSummaries

_TOKEN_BYTES = 32

# A campaign does not say which language its managers read; the branch offices' is Indonesian.
_MANAGER_LANGUAGE: Final = "id"

# Two attempts of 1 + 1.5 seconds and a pause below one second: a caller hears "try again" within 5 seconds.
# The defaults would hold the request for 25 seconds and more.
_TWO_ATTEMPTS = Config(
    connect_timeout=1,
    read_timeout=1.5,
    retries={"mode": "standard", "total_max_attempts": 2},
    tcp_keepalive=True,
    max_pool_connections=10,
    # A fifth of a registration's CPU: what is sent is built by the SDK's serializer, and AWS checks it again.
    parameter_validation=False,
)

# SendTextMessage has no idempotency key: the SDK must not try again where we could not tell one text from
# two.
_SINGLE_ATTEMPT = Config(
    connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 1}
)

# A day's rows are some megabytes, and nobody waits for them.
_LONG_TIMEOUT = Config(
    connect_timeout=2, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3}
)

# For what may as well not happen: nobody waits longer than this for it.
_SHORT_TIMEOUT = Config(
    connect_timeout=0.3, read_timeout=0.3, retries={"mode": "standard", "total_max_attempts": 1}
)


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def generate_token() -> Token:
    """A new bearer token of 256 random bits.

    The prefix lets scanners of leaked secrets recognise it.
    """
    return Token(f"daftar_{secrets.token_urlsafe(_TOKEN_BYTES)}")


def generate_write_id() -> str:
    """What one write is told from another by."""
    return secrets.token_hex(8)


@cache
def registrar() -> IntakeService:
    """Takes captures in."""
    return IntakeService(
        registrations=_registrations(),
        campaigns=campaign_office(),
        quote_service=quoting(),
        limits=IntakeLimits(
            client_allowance=_allowance(),
            age_limits=AgeLimits(minimum_age=settings().minimum_age),
            payment_period=timedelta(days=settings().unpaid_days),
            phone_cap=DailyCap(flag=settings().phone_daily_flag, cap=settings().phone_daily_cap),
        ),
        hashing=KeyedHash(_keyring().get_hash_key),
        clock=utc_now,
        random_index=secrets.randbelow,
    )


@cache
def casework() -> "LifecycleService":
    """Changes registrations after they were taken in, and finds them."""
    from chalicelib.registrations.lifecycle import LifecycleService

    return LifecycleService(registrations=_registrations(), clock=utc_now)


@cache
def erasing() -> "ErasureService":
    """Finds and takes away what is kept of workers."""
    from chalicelib.registrations.erasure import ErasureService

    return ErasureService(
        workers=DynamoWorkers(
            _dynamodb(), settings().registrations_table, cipher(), new_id=generate_write_id
        ),
        registrations=_registrations(),
        clock=utc_now,
        retention_period=timedelta(days=settings().keep_ended_days),
    )


@cache
def privacy_desk() -> "DataRequestService":
    """Discloses and erases what is held on one NIK."""
    from chalicelib.data_requests.service import DataRequestService
    from chalicelib.notifications.store_history import DynamoSmsHistory

    return DataRequestService(
        worker_data=erasing(),
        sms_history=DynamoSmsHistory(
            _dynamodb(),
            sms_table=settings().sms_ledger_table,
            sending_table=settings().sending_table,
            new_write_id=generate_write_id,
        ),
        opt_outs=_opt_outs(),
        requests=DynamoDataRequests(_dynamodb(), settings().requests_table),
        hashing=KeyedHash(_keyring().get_hash_key),
        clock=utc_now,
    )


@cache
def campaign_office() -> CampaignService:
    """Opens campaigns and finds them."""
    return CampaignService(
        campaigns=DynamoCampaigns(_dynamodb(), settings().campaigns_table, cipher()), clock=utc_now
    )


@cache
def quoting() -> QuoteService:
    """Works out quotes."""
    return QuoteService(rules=load_rules(), clock=utc_now)


@cache
def registry() -> ClientRegistry:
    """Knows who may call."""
    return ClientRegistry(
        clients=DynamoClients(_dynamodb(), settings().clients_table),
        clock=utc_now,
        generate_token=generate_token,
        token_lifetime=TokenLifetime(
            default_lifetime=timedelta(days=settings().token_days),
            overlap=timedelta(hours=settings().token_overlap_hours),
        ),
    )


@cache
def sightings() -> LastSeenTracker:
    """Notes when clients call."""
    return LastSeenTracker(get_store=_last_seen, clock=utc_now)


@cache
def _last_seen() -> DynamoLastSeenStore:
    return DynamoLastSeenStore(_create_client("dynamodb", _SHORT_TIMEOUT), settings().clients_table)


@cache
def _allowance() -> DailyCapLimiter:
    return DailyCapLimiter(
        counts=DynamoDayCounts(_dynamodb(), settings().clients_table),
        caps={
            Role.KIOSK: DailyCap(flag=settings().device_daily_flag, cap=settings().device_daily_cap),
            Role.BOT: DailyCap(flag=settings().bot_daily_flag, cap=settings().bot_daily_cap),
        },
        clock=utc_now,
    )


@cache
def rollup() -> "RollUpService":
    """Counts campaign days."""
    from chalicelib.notifications.counting import LedgerSmsCounter
    from chalicelib.rollups.counting import AnomalyThresholds
    from chalicelib.rollups.service import RollUpService

    return RollUpService(
        facts=registrar(),
        campaigns=campaign_office(),
        summaries=_summaries(),
        sms_counter=LedgerSmsCounter(_ledger()),
        thresholds=AnomalyThresholds(
            peer_ratio=settings().anomaly_peer_ratio,
            min_workers=settings().anomaly_min_workers,
            min_peers=settings().anomaly_min_peers,
            run_length=settings().anomaly_run_length,
            max_run_gap=timedelta(minutes=settings().anomaly_run_gap_minutes),
        ),
        clock=utc_now,
    )


@cache
def board() -> "BoardService":
    """Says how a running campaign goes."""
    from chalicelib.rollups.board import BoardService

    return BoardService(reports=rollup(), campaigns=campaign_office(), clock=utc_now)


@cache
def relay() -> "StreamPublisher":
    """Passes on what the registrations table's stream says."""
    from chalicelib.registrations.queues import SQSNotificationQueue
    from chalicelib.registrations.stream import StreamPublisher

    return StreamPublisher(
        notification_queue=SQSNotificationQueue(
            _create_client("sqs", _TWO_ATTEMPTS), settings().notifications_queue_url
        ),
        dirty_days=rollup(),
        may_notify_known_workers=settings().tells_known_workers,
    )


@cache
def notifier() -> "NotificationService":
    """Sends the texts that events call for."""
    from chalicelib.messaging.rate_limiter import SendRate
    from chalicelib.notifications.hours import QuietHours
    from chalicelib.notifications.service import NotificationConfig, NotificationService

    return NotificationService(
        registrations=registrar(),
        campaigns=campaign_office(),
        ledger=_ledger(),
        opt_outs=_opt_outs(),
        rate_limiter=line(),
        gateway=_router(),
        hashing=KeyedHash(_keyring().get_hash_key),
        config=NotificationConfig(
            rate=SendRate(settings().sms_parts_a_second),
            quiet_hours=QuietHours(settings().quiet_from, settings().quiet_until),
            price_per_part=settings().sms_price,
            rupiah_per_dollar=settings().rupiah_a_dollar,
            sms_per_day=settings().sms_a_day,
        ),
        clock=utc_now,
        wait=_sleep,
        random_fraction=_random_fraction,
    )


@cache
def deliverer() -> "ReportDeliveryService":
    """Tells managers of their campaigns' days."""
    from chalicelib.deliveries.service import DeliveryConfig, ReportDeliveryService
    from chalicelib.deliveries.store import DynamoDeliveries
    from chalicelib.rollups.model import SummaryState
    from chalicelib.rollups.store import DynamoOutbox

    news_for = timedelta(days=settings().report_days)
    return ReportDeliveryService(
        outbox=DynamoOutbox(_dynamodb(), settings().summaries_table),
        reports=rollup(),
        campaigns=campaign_office(),
        deliveries=DynamoDeliveries(
            _dynamodb(),
            settings().sending_table,
            new_write_id=generate_write_id,
            clock=utc_now,
            retention=2 * news_for,
        ),
        channels=dict(_iter_delivery_channels()),
        hashing=KeyedHash(_keyring().get_hash_key),
        config=DeliveryConfig(
            sms_states=[SummaryState(each) for each in settings().report_sms.split(",") if each != "none"],
            max_age=news_for,
        ),
        clock=utc_now,
        on_failure=lambda error: observability.log_exception(error, "report not sent to manager", {}),
    )


def _iter_delivery_channels() -> "Iterator[tuple[Medium, ReportChannel]]":
    from chalicelib.deliveries.mail import MailReportChannel, MailSender
    from chalicelib.deliveries.model import Medium
    from chalicelib.deliveries.ses import SESMailTransport
    from chalicelib.deliveries.sms import SmsReportChannel
    from chalicelib.messaging.rate_limiter import SendRate
    from chalicelib.rollups.renderings import mail, sms

    if settings().mail_from:
        yield (
            Medium.MAIL,
            MailReportChannel(
                transport=SESMailTransport(
                    _create_client("sesv2", _SINGLE_ATTEMPT),
                    sender=settings().mail_from,
                    configuration_set=settings().mail_configuration_set,
                ),
                sender=MailSender(settings().mail_from, settings().mail_reply_to),
                compose=lambda report: mail.compose(report, _MANAGER_LANGUAGE),
                clock=utc_now,
            ),
        )
    yield (
        Medium.SMS,
        SmsReportChannel(
            gateway=_router(),
            rate_limiter=line(),
            rate=SendRate(settings().sms_parts_a_second),
            opt_outs=_opt_outs(),
            render_body=lambda report: sms.render_body(report, _MANAGER_LANGUAGE),
            hashing=KeyedHash(_keyring().get_hash_key),
            clock=utc_now,
            wait=_sleep,
        ),
    )


@cache
def exporter() -> "ExportService":
    """Exports campaign days for analysts."""
    from chalicelib.exports.service import ExportService
    from chalicelib.exports.store import S3ExportStore
    from chalicelib.rollups.store import DynamoOutbox

    return ExportService(
        outbox=DynamoOutbox(_dynamodb(), settings().summaries_table),
        summaries=_summaries(),
        captures=registrar(),
        store=S3ExportStore(_create_client("s3", _LONG_TIMEOUT), settings().exports_bucket),
        hashing=KeyedHash(_keyring().get_hash_key),
        clock=utc_now,
    )


@cache
def requeue() -> "DueSmsQueuer":
    """Looks for texts that are due."""
    from chalicelib.notifications.due_sms import DueSmsQueuer
    from chalicelib.notifications.queues import SQSSmsQueues
    from chalicelib.notifications.templates import SmsKind

    queues = {
        SmsKind.CONFIRMATION: settings().notifications_queue_url,
        SmsKind.REMINDER: settings().reminders_queue_url,
    }
    return DueSmsQueuer(
        ledger=_ledger(),
        rate_limiter=line(),
        queues=SQSSmsQueues(_create_client("sqs", _TWO_ATTEMPTS), queues),
        clock=utc_now,
    )


@cache
def line() -> "DynamoSendRateLimiter":
    """The line that senders stand in."""
    from chalicelib.messaging.store import DynamoSendRateLimiter

    return DynamoSendRateLimiter(_dynamodb(), settings().sending_table)


@cache
def _ledger() -> "DynamoSmsLedger":
    from chalicelib.notifications.store_ledger import DynamoSmsLedger

    return DynamoSmsLedger(
        _dynamodb(),
        sms_table=settings().sms_ledger_table,
        sending_table=settings().sending_table,
        new_write_id=generate_write_id,
    )


@cache
def _opt_outs() -> "DynamoOptOutStore":
    from chalicelib.notifications.store_opt_outs import DynamoOptOutStore

    return DynamoOptOutStore(_dynamodb(), settings().sending_table)


def _sleep(duration: timedelta) -> None:
    time.sleep(duration.total_seconds())


def _random_fraction() -> float:
    return secrets.randbelow(1_000_000) / 1_000_000


@cache
def receipts() -> "SQSReceiptSink":
    """Takes what gateways report over HTTP."""
    from chalicelib.notifications.queues import SQSReceiptSink

    return SQSReceiptSink(_create_client("sqs", _TWO_ATTEMPTS), settings().receipts_queue_url)


@cache
def twilio_account() -> "TwilioAccount":
    """The account with the Twilio-compatible gateway: read once in a container's life."""
    from chalicelib.messaging.twilio import TwilioAccount

    found = _create_client("secretsmanager", _TWO_ATTEMPTS).get_secret_value(
        SecretId=settings().twilio_secret
    )
    secret = json.loads(found["SecretString"])
    return TwilioAccount(sid=secret["account_sid"], token=secret["auth_token"])


def twilio_public_url() -> str | None:
    """This API's own URL, as Twilio is told it; None on a stage without an account there."""
    return settings().public_url if settings().twilio_secret else None


@cache
def _router() -> "GatewayRouter":
    from chalicelib.messaging.routing import GatewayRouter

    return GatewayRouter(
        _iter_gateways(),
        weights=settings().weight_by_gateway,
        clock=utc_now,
        on_circuit_open=_report_circuit_open,
        get_resumed_at=lambda: line().resumed_at,
    )


def _iter_gateways() -> Iterator["Gateway"]:
    from chalicelib.messaging.aws_sms import AwsSmsConfig, AwsSmsGateway

    yield AwsSmsGateway(
        _create_client("pinpoint-sms-voice-v2", _SINGLE_ATTEMPT),
        AwsSmsConfig(
            originator=settings().sms_originator,
            max_price=settings().sms_max_price,
            configuration_set=settings().sms_configuration_set,
            protect_configuration=settings().sms_protect_configuration,
        ),
        utc_now,
    )
    if settings().weight_by_gateway.get("twilio"):
        from chalicelib.messaging.twilio import TwilioGateway

        url = twilio_public_url()
        if not url:
            raise SettingsIncomplete("texts by twilio need DAFTAR_TWILIO_SECRET and DAFTAR_PUBLIC_URL")
        yield TwilioGateway(
            url=settings().twilio_url,
            get_account=twilio_account,
            originator=settings().sms_originator,
            public_url=url,
            clock=utc_now,
        )


def _report_circuit_open(gateway: str, reason: str) -> None:
    observability.count("GatewayCircuitsOpened")
    observability.logger.warning("gateway circuit opened", extra={"gateway": gateway, "reason": reason})


@cache
def _keyring() -> Keyring:
    """The stage's data keys."""
    return Keyring(
        wrapped_keys=wrapped_keys(),
        key_wrapper=key_wrap(),
        clock=utc_now,
        on_failure=lambda error: observability.log_exception(error, "keys not refreshed", {}),
    )


@cache
def wrapped_keys() -> DynamoWrappedKeys:
    """Where the stage's data keys are kept, wrapped."""
    return DynamoWrappedKeys(_dynamodb(), settings().keys_table)


@cache
def key_wrap() -> KMSKeyWrapper:
    """Makes and unwraps data keys."""
    return KMSKeyWrapper(_create_client("kms", _TWO_ATTEMPTS), settings().field_key_arn)


@cache
def _registrations() -> DynamoRegistrations:
    return DynamoRegistrations(_dynamodb(), settings().registrations_table, cipher())


@cache
def cipher() -> FieldCipher:
    """Seals and unseals personal fields."""
    return FieldCipher(_keyring().get_field_keys, _keyring().refresh_field_keys)


@cache
def _summaries() -> "DynamoSummaries":
    from chalicelib.rollups.store import DynamoSummaries

    return DynamoSummaries(_dynamodb(), settings().summaries_table)


@cache
def _dynamodb() -> Any:
    return _create_client("dynamodb", _TWO_ATTEMPTS)


# The rule by which endpoints are named. It has no exception among our services.
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


class ServiceDataLoader(Loader):
    """The SDK's data, as if it knew our services only.

    Asking which services there are, it would list some 900 directories on each cold start; asking where they
    are, it would read 1.2 MB of rules and exceptions.
    """

    def list_available_services(self, type_name: str) -> list[str]:
        """The services that a client is built for here."""
        return ["dynamodb", "kms", "pinpoint-sms-voice-v2", "s3", "secretsmanager", "sesv2", "sqs"]

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """A file of the SDK's, and where it stands."""
        if name == "endpoints":
            return _ENDPOINT_RULES, self.BUILTIN_DATA_PATH
        return super().load_data_with_path(name)


@cache
def _session() -> boto3.session.Session:
    session = botocore.session.get_session()
    session.register_component("data_loader", ServiceDataLoader())
    return boto3.session.Session(botocore_session=session)


def _create_client(service: str, config: Config) -> Any:
    return _session().client(service, config=config)  # type: ignore[call-overload]
