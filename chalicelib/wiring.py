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
from chalicelib.campaigns.dynamodb import DynamoCampaigns
from chalicelib.campaigns.service import CampaignOffice
from chalicelib.clients.caps import Allowance
from chalicelib.clients.dynamodb import DynamoClients, DynamoDayCounts, DynamoLastSeen
from chalicelib.clients.model import DailyCap, Role
from chalicelib.clients.service import Registry, Sightings, Token, TokenLife
from chalicelib.contributions.rules import shipped_rules
from chalicelib.contributions.service import Quoting
from chalicelib.privacy.dynamodb import DynamoRequests, DynamoWrappedKeys
from chalicelib.privacy.encryption import FieldCipher
from chalicelib.privacy.hashing import KeyedHash
from chalicelib.privacy.keyring import Keyring
from chalicelib.privacy.kms import KMSKeyWrap
from chalicelib.registrations.dynamodb import DynamoRegistrations, DynamoWorkers
from chalicelib.registrations.rules import AgeLimits
from chalicelib.registrations.service import Limits, Registrar
from chalicelib.settings import SettingsIncomplete, settings

if TYPE_CHECKING:
    from chalicelib.deliveries.model import Medium
    from chalicelib.deliveries.service import Deliverer, Way
    from chalicelib.exports.service import Exporter
    from chalicelib.notifications.dynamodb import DynamoLedger, DynamoLine
    from chalicelib.notifications.gateways import Gateway
    from chalicelib.notifications.requeue import Requeue
    from chalicelib.notifications.routing import Router
    from chalicelib.notifications.service import Notifier
    from chalicelib.notifications.sqs import SQSReceipts
    from chalicelib.notifications.twilio import Account as TwilioAccount
    from chalicelib.privacy.service import PrivacyDesk
    from chalicelib.registrations.casework import Casework
    from chalicelib.registrations.erasing import Erasing
    from chalicelib.registrations.relay import Relay
    from chalicelib.rollups.board import Board
    from chalicelib.rollups.dynamodb import DynamoSummaries
    from chalicelib.rollups.service import RollUp

_TOKEN_BYTES = 32

# A campaign does not say which language its managers read; the branch offices' is Indonesian.
_MANAGERS_LANGUAGE: Final = "id"

# Two attempts of 1 + 1.5 seconds and a pause below one second: a caller hears "try again" within 5 seconds.
# The defaults would hold the request for 25 seconds and more.
_ASK_TWICE = Config(
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
_ASK_ONCE = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 1})

# A day's rows are some megabytes, and nobody waits for them.
_PATIENTLY = Config(connect_timeout=2, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3})

# For what may as well not happen: nobody waits longer than this for it.
_ASK_BRIEFLY = Config(
    connect_timeout=0.3, read_timeout=0.3, retries={"mode": "standard", "total_max_attempts": 1}
)


def now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def new_token() -> Token:
    """A new bearer token of 256 random bits.

    The prefix lets scanners of leaked secrets recognise it.
    """
    return Token(f"daftar_{secrets.token_urlsafe(_TOKEN_BYTES)}")


def new_write_id() -> str:
    """What one write is told from another by."""
    return secrets.token_hex(8)


@cache
def registrar() -> Registrar:
    """Takes captures in."""
    return Registrar(
        registrations=_registrations(),
        campaigns=campaign_office(),
        quoting=quoting(),
        limits=Limits(
            clients=_allowance(),
            ages=AgeLimits(minimum=settings().minimum_age),
            unpaid_for=timedelta(days=settings().unpaid_days),
            phone=DailyCap(flag=settings().phone_daily_flag, cap=settings().phone_daily_cap),
        ),
        hashing=KeyedHash(_keyring().hash_key),
        clock=now,
        random_index=secrets.randbelow,
    )


@cache
def casework() -> "Casework":
    """Changes registrations after they were taken in, and finds them."""
    from chalicelib.registrations.casework import Casework

    return Casework(registrations=_registrations(), clock=now)


@cache
def erasing() -> "Erasing":
    """Finds and takes away what is kept of workers."""
    from chalicelib.registrations.erasing import Erasing

    return Erasing(
        workers=DynamoWorkers(_dynamodb(), settings().registrations_table, cipher(), new_id=new_write_id),
        registrations=_registrations(),
        clock=now,
        kept_for=timedelta(days=settings().keep_ended_days),
    )


@cache
def privacy_desk() -> "PrivacyDesk":
    """Discloses and erases what is held on one NIK."""
    from chalicelib.privacy.service import PrivacyDesk

    return PrivacyDesk(
        people=erasing(),
        texts=_ledger(),
        requests=DynamoRequests(_dynamodb(), settings().requests_table),
        hashing=KeyedHash(_keyring().hash_key),
        clock=now,
    )


@cache
def campaign_office() -> CampaignOffice:
    """Opens campaigns and finds them."""
    return CampaignOffice(
        campaigns=DynamoCampaigns(_dynamodb(), settings().campaigns_table, cipher()), clock=now
    )


@cache
def quoting() -> Quoting:
    """Works out quotes."""
    return Quoting(rules=shipped_rules(), clock=now)


@cache
def registry() -> Registry:
    """Knows who may call."""
    return Registry(
        clients=DynamoClients(_dynamodb(), settings().clients_table),
        clock=now,
        new_token=new_token,
        life=TokenLife(
            usual=timedelta(days=settings().token_days),
            overlap=timedelta(hours=settings().token_overlap_hours),
        ),
    )


@cache
def sightings() -> Sightings:
    """Notes when clients call."""
    return Sightings(store=_last_seen, clock=now)


@cache
def _last_seen() -> DynamoLastSeen:
    return DynamoLastSeen(_client("dynamodb", _ASK_BRIEFLY), settings().clients_table)


@cache
def _allowance() -> Allowance:
    return Allowance(
        counts=DynamoDayCounts(_dynamodb(), settings().clients_table),
        caps={
            Role.KIOSK: DailyCap(flag=settings().device_daily_flag, cap=settings().device_daily_cap),
            Role.BOT: DailyCap(flag=settings().bot_daily_flag, cap=settings().bot_daily_cap),
        },
        clock=now,
    )


@cache
def rollup() -> "RollUp":
    """Counts campaign days."""
    from chalicelib.notifications.service import TextCounts
    from chalicelib.rollups.counting import Unusual
    from chalicelib.rollups.service import RollUp

    return RollUp(
        facts=registrar(),
        campaigns=campaign_office(),
        summaries=_summaries(),
        texts=TextCounts(_ledger()),
        unusual=Unusual(
            times_peers=settings().odd_times_peers,
            workers_at_least=settings().odd_workers,
            peers_at_least=settings().odd_peers,
            run_of=settings().odd_run,
            run_pause=timedelta(minutes=settings().odd_run_minutes),
        ),
        clock=now,
    )


@cache
def board() -> "Board":
    """Says how a running campaign goes."""
    from chalicelib.rollups.board import Board

    return Board(days=rollup(), campaigns=campaign_office(), clock=now)


@cache
def relay() -> "Relay":
    """Passes on what the registrations table's stream says."""
    from chalicelib.registrations.relay import Relay
    from chalicelib.registrations.sqs import SQSNotifications

    return Relay(
        notifications=SQSNotifications(_client("sqs", _ASK_TWICE), settings().notifications_queue_url),
        marks=rollup(),
        tells_known_workers=settings().tells_known_workers,
    )


@cache
def notifier() -> "Notifier":
    """Sends the texts that events call for."""
    from chalicelib.notifications.hours import QuietHours
    from chalicelib.notifications.pace import Rate
    from chalicelib.notifications.service import Notifier, Surroundings, Terms

    return Notifier(
        registrations=registrar(),
        campaigns=campaign_office(),
        ledger=_ledger(),
        line=line(),
        gateway=_router(),
        terms=Terms(
            rate=Rate(settings().sms_parts_a_second),
            quiet=QuietHours(settings().quiet_from, settings().quiet_until),
            price_a_part=settings().sms_price,
            rupiah_a_dollar=settings().rupiah_a_dollar,
            texts_a_day=settings().sms_a_day,
        ),
        around=Surroundings(clock=now, chance=_chance, wait=_wait, hashing=KeyedHash(_keyring().hash_key)),
    )


@cache
def deliverer() -> "Deliverer":
    """Tells managers of their campaigns' days."""
    from chalicelib.deliveries.dynamodb import DynamoDeliveries
    from chalicelib.deliveries.service import Deliverer, Surroundings, Terms
    from chalicelib.rollups.dynamodb import DynamoOutbox
    from chalicelib.rollups.model import State

    news_for = timedelta(days=settings().report_days)
    return Deliverer(
        outbox=DynamoOutbox(_dynamodb(), settings().summaries_table),
        reports=rollup(),
        campaigns=campaign_office(),
        deliveries=DynamoDeliveries(
            _dynamodb(),
            settings().sending_table,
            new_write_id=new_write_id,
            clock=now,
            kept_for=2 * news_for,
        ),
        ways=dict(_ways_to_managers()),
        terms=Terms(
            texted=[State(each) for each in settings().report_texts.split(",") if each != "none"],
            news_for=news_for,
        ),
        around=Surroundings(
            clock=now,
            hashing=KeyedHash(_keyring().hash_key),
            on_failure=lambda error: observability.log_unforeseen(error, "manager not told", {}),
        ),
    )


def _ways_to_managers() -> "Iterator[tuple[Medium, Way]]":
    from chalicelib.deliveries.mailing import Mailing, Sender
    from chalicelib.deliveries.model import Medium
    from chalicelib.deliveries.ses import SESPost
    from chalicelib.deliveries.texting import Surroundings, Texting
    from chalicelib.notifications.pace import Rate
    from chalicelib.rollups.renderings import mail, text

    if settings().mail_from:
        yield (
            Medium.MAIL,
            Mailing(
                post=SESPost(
                    _client("sesv2", _ASK_ONCE),
                    sender=settings().mail_from,
                    configuration_set=settings().mail_configuration_set,
                ),
                sender=Sender(settings().mail_from, settings().mail_reply_to),
                compose=lambda report: mail.compose(report, _MANAGERS_LANGUAGE),
                clock=now,
            ),
        )
    yield (
        Medium.TEXT,
        Texting(
            gateway=_router(),
            line=line(),
            rate=Rate(settings().sms_parts_a_second),
            opt_outs=_ledger(),
            words=lambda report: text.words(report, _MANAGERS_LANGUAGE),
            around=Surroundings(clock=now, wait=_wait, hashing=KeyedHash(_keyring().hash_key)),
        ),
    )


@cache
def exporter() -> "Exporter":
    """Exports campaign days for analysts."""
    from chalicelib.exports.s3 import S3Shelf
    from chalicelib.exports.service import Exporter
    from chalicelib.rollups.dynamodb import DynamoOutbox

    return Exporter(
        outbox=DynamoOutbox(_dynamodb(), settings().summaries_table),
        summaries=_summaries(),
        captures=registrar(),
        shelf=S3Shelf(_client("s3", _PATIENTLY), settings().exports_bucket),
        hashing=KeyedHash(_keyring().hash_key),
        clock=now,
    )


@cache
def requeue() -> "Requeue":
    """Looks for texts that are due."""
    from chalicelib.notifications.requeue import Requeue
    from chalicelib.notifications.sqs import SQSDueTexts
    from chalicelib.notifications.templates import Kind

    queues = {
        Kind.CONFIRMATION: settings().notifications_queue_url,
        Kind.REMINDER: settings().reminders_queue_url,
    }
    return Requeue(
        ledger=_ledger(), line=line(), queues=SQSDueTexts(_client("sqs", _ASK_TWICE), queues), clock=now
    )


@cache
def line() -> "DynamoLine":
    """The line that senders stand in."""
    from chalicelib.notifications.dynamodb import DynamoLine

    return DynamoLine(_dynamodb(), settings().sending_table)


@cache
def _ledger() -> "DynamoLedger":
    from chalicelib.notifications.dynamodb import DynamoLedger

    return DynamoLedger(
        _dynamodb(),
        texts=settings().texts_table,
        sending=settings().sending_table,
        new_write_id=new_write_id,
    )


def _wait(length: timedelta) -> None:
    time.sleep(length.total_seconds())


def _chance() -> float:
    return secrets.randbelow(1_000_000) / 1_000_000


@cache
def receipts() -> "SQSReceipts":
    """Takes what gateways report over HTTP."""
    from chalicelib.notifications.sqs import SQSReceipts

    return SQSReceipts(_client("sqs", _ASK_TWICE), settings().receipts_queue_url)


@cache
def twilio_account() -> "TwilioAccount":
    """The account with the Twilio-compatible gateway: read once in a container's life."""
    from chalicelib.notifications.twilio import Account as TwilioAccount

    found = _client("secretsmanager", _ASK_TWICE).get_secret_value(SecretId=settings().twilio_secret)
    secret = json.loads(found["SecretString"])
    return TwilioAccount(sid=secret["account_sid"], token=secret["auth_token"])


def twilio_public_url() -> str | None:
    """This API's own URL, as Twilio is told it; None on a stage without an account there."""
    return settings().public_url if settings().twilio_secret else None


@cache
def _router() -> "Router":
    from chalicelib.notifications.routing import Router

    return Router(
        _gateways(),
        weights=settings().weights,
        clock=now,
        tell=_gateway_left_alone,
        resumed_at=lambda: line().resumed_at,
    )


def _gateways() -> Iterator["Gateway"]:
    from chalicelib.notifications.aws_sms import AWSSMS, Account

    yield AWSSMS(
        _client("pinpoint-sms-voice-v2", _ASK_ONCE),
        Account(
            originator=settings().sms_originator,
            max_price=settings().sms_max_price,
            configuration_set=settings().sms_configuration_set,
            protect_configuration=settings().sms_protect_configuration,
        ),
        now,
    )
    if settings().weights.get("twilio"):
        from chalicelib.notifications.twilio import TwilioSMS

        url = twilio_public_url()
        if not url:
            raise SettingsIncomplete("texts by twilio need DAFTAR_TWILIO_SECRET and DAFTAR_PUBLIC_URL")
        yield TwilioSMS(
            url=settings().twilio_url,
            account=twilio_account,
            originator=settings().sms_originator,
            public_url=url,
            clock=now,
        )


def _gateway_left_alone(gateway: str, reason: str) -> None:
    observability.count("GatewaysLeftAlone")
    observability.logger.warning("gateway left alone", extra={"gateway": gateway, "reason": reason})


@cache
def _keyring() -> Keyring:
    """The stage's data keys."""
    return Keyring(
        stored=wrapped_keys(),
        wrap=key_wrap(),
        clock=now,
        on_failure=lambda error: observability.log_unforeseen(error, "keys not read anew", {}),
    )


@cache
def wrapped_keys() -> DynamoWrappedKeys:
    """Where the stage's data keys are kept, wrapped."""
    return DynamoWrappedKeys(_dynamodb(), settings().keys_table)


@cache
def key_wrap() -> KMSKeyWrap:
    """Makes and unwraps data keys."""
    return KMSKeyWrap(_client("kms", _ASK_TWICE), settings().field_key_arn)


@cache
def _registrations() -> DynamoRegistrations:
    return DynamoRegistrations(_dynamodb(), settings().registrations_table, cipher())


@cache
def cipher() -> FieldCipher:
    """Seals and unseals personal fields."""
    return FieldCipher(_keyring().field_keys, _keyring().field_keys_with)


@cache
def _summaries() -> "DynamoSummaries":
    from chalicelib.rollups.dynamodb import DynamoSummaries

    return DynamoSummaries(_dynamodb(), settings().summaries_table)


@cache
def _dynamodb() -> Any:
    return _client("dynamodb", _ASK_TWICE)


# The rule by which endpoints are named. It has no exception among our services.
_ENDPOINTS = {
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


class OurServices(Loader):
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
            return _ENDPOINTS, self.BUILTIN_DATA_PATH
        return super().load_data_with_path(name)


@cache
def _session() -> boto3.session.Session:
    session = botocore.session.get_session()
    session.register_component("data_loader", OurServices())
    return boto3.session.Session(botocore_session=session)


def _client(service: str, config: Config) -> Any:
    return _session().client(service, config=config)  # type: ignore[call-overload]
