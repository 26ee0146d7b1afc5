"""The keys and stores of the object graph: what needs the settings, the AWS clients and the clock alone."""

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib import observability
from chalicelib.aws.clients import AwsClients
from chalicelib.clock import Clock, utc_now
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.crypto.keyring import Keyring
from chalicelib.crypto.kms import KMSKeyWrapper
from chalicelib.crypto.store import DynamoWrappedKeys
from chalicelib.settings import Settings

if TYPE_CHECKING:
    from chalicelib.chats.accounts import TelegramAccount, WhatsAppAccount
    from chalicelib.conversations.store import DynamoConversations
    from chalicelib.conversations.store_outbox import DynamoChatOutbox
    from chalicelib.crypto.rescue import RescueKeys
    from chalicelib.messaging.store import DynamoSendRateLimiter
    from chalicelib.notifications.queues import SQSReceiptSink
    from chalicelib.notifications.store_opt_outs import DynamoOptOutStore
    from chalicelib.photos.store import S3PhotoStore
    from chalicelib.registrations.store_reading import DynamoReadingStore
    from chalicelib.rollups.store_counting import DynamoCountingState
    from chalicelib.rollups.store_due import DynamoDueList
    from chalicelib.rollups.store_outbox import DynamoOutbox
    from chalicelib.rollups.store_summaries import DynamoSummaries
    from chalicelib.searches.store import DynamoLookups


class KeysAndStores:
    """Build keys and stores on first use."""

    def __init__(
        self, settings: Settings | None = None, aws: AwsClients | None = None, clock: Clock = utc_now
    ) -> None:
        """Without `settings`, they are read from the environment on first use."""
        if settings is not None:
            self.settings = settings
        self.aws = aws or AwsClients()
        self.clock = clock

    def forget(self) -> None:
        """Forget everything that was built, with its keys and connections. It is built again on first use."""
        kept = {"settings"}
        for name in [name for name in vars(self) if name not in kept and _is_built(type(self), name)]:
            delattr(self, name)
        self.aws.forget()

    @cached_property
    def settings(self) -> Settings:
        """The settings of the stage. Raise SettingsIncomplete."""
        return Settings.from_environment()

    # Keys

    @cached_property
    def wrapped_keys(self) -> DynamoWrappedKeys:
        return DynamoWrappedKeys(self.aws.dynamodb, self.settings.keys_table)

    @cached_property
    def key_wrapper(self) -> KMSKeyWrapper:
        return KMSKeyWrapper(self.aws.kms, self.settings.field_key_arn)

    @cached_property
    def keyring(self) -> Keyring:
        return Keyring(
            wrapped_keys=self.wrapped_keys,
            key_wrapper=self.key_wrapper,
            clock=self.clock,
            on_failure=lambda error: observability.log_exception(error, "keys not refreshed", {}),
        )

    @cached_property
    def cipher(self) -> FieldCipher:
        return FieldCipher(self.keyring.get_field_keys, self.keyring.refresh_field_keys)

    @cached_property
    def hashing(self) -> KeyedHash:
        return KeyedHash(self.keyring.get_hash_key)

    @cached_property
    def rescue_keys(self) -> "RescueKeys":
        from chalicelib.crypto.rescue import RescueKeys

        return RescueKeys(self.keyring.load_rescue_keys)

    # Registrations

    @cached_property
    def reading_store(self) -> "DynamoReadingStore":
        from chalicelib.registrations.store_reading import DynamoReadingStore

        return DynamoReadingStore(self.aws.dynamodb, self.settings.registrations_table, self.cipher)

    # Reviews and searches

    @cached_property
    def lookups(self) -> "DynamoLookups":
        from chalicelib.searches.store import DynamoLookups

        return DynamoLookups(self.aws.dynamodb, self.settings.reviews_table)

    @cached_property
    def photos(self) -> "S3PhotoStore":
        from chalicelib.photos.store import S3PhotoStore

        return S3PhotoStore(
            self.aws.photos_s3, self.settings.photos_bucket, hashing=self.hashing, clock=self.clock
        )

    # Summaries

    @cached_property
    def summary_store(self) -> "DynamoSummaries":
        from chalicelib.rollups.store_summaries import DynamoSummaries

        return DynamoSummaries(self.aws.dynamodb, self.settings.summaries_table)

    @cached_property
    def outbox(self) -> "DynamoOutbox":
        from chalicelib.rollups.store_outbox import DynamoOutbox

        return DynamoOutbox(self.aws.dynamodb, self.settings.summaries_table)

    @cached_property
    def counting_state(self) -> "DynamoCountingState":
        from chalicelib.rollups.store_counting import DynamoCountingState

        return DynamoCountingState(self.aws.dynamodb, self.settings.summaries_table)

    @cached_property
    def due_list(self) -> "DynamoDueList":
        from chalicelib.rollups.store_due import DynamoDueList

        return DynamoDueList(self.aws.dynamodb, self.settings.summaries_table)

    # SMS

    @cached_property
    def opt_outs(self) -> "DynamoOptOutStore":
        from chalicelib.notifications.store_opt_outs import DynamoOptOutStore

        return DynamoOptOutStore(self.aws.dynamodb, self.settings.sending_table)

    @cached_property
    def send_rate_limiter(self) -> "DynamoSendRateLimiter":
        from chalicelib.messaging.store import DynamoSendRateLimiter

        return DynamoSendRateLimiter(self.aws.dynamodb, self.settings.sending_table)

    def make_send_rate_limiter(self, channel: str) -> "DynamoSendRateLimiter":
        """Return the rate limiter of a channel of its own."""
        from chalicelib.messaging.store import DynamoSendRateLimiter

        return DynamoSendRateLimiter(self.aws.dynamodb, self.settings.sending_table, channel=channel)

    @cached_property
    def chat_outbox(self) -> "DynamoChatOutbox":
        from chalicelib.conversations.store_outbox import DynamoChatOutbox

        return DynamoChatOutbox(self.aws.dynamodb, self.settings.conversations_table, self.cipher)

    @cached_property
    def conversation_store(self) -> "DynamoConversations":
        from chalicelib.conversations.store import DynamoConversations

        return DynamoConversations(self.aws.dynamodb, self.settings.conversations_table, self.cipher)

    def read_secret(self, name: str) -> str:
        """Return the text of a secret of the stage."""
        secret: str = self.aws.secrets_manager.get_secret_value(SecretId=name)["SecretString"]
        return secret

    @cached_property
    def text_gateway_token(self) -> str:
        """The token of our gateway for SMS and USSD; its secret is read once per container."""
        from chalicelib.chats.accounts import read_gateway_token

        return read_gateway_token(self.read_secret(self.settings.text_gateway_secret))

    @cached_property
    def telegram_account(self) -> "TelegramAccount":
        """Our bot; its secret is read once per container."""
        from chalicelib.chats.accounts import TelegramAccount

        return TelegramAccount.from_secret(self.read_secret(self.settings.telegram_secret))

    @cached_property
    def whatsapp_account(self) -> "WhatsAppAccount":
        """Our number at WhatsApp; its secret is read once per container."""
        from chalicelib.chats.accounts import WhatsAppAccount

        return WhatsAppAccount.from_secret(self.read_secret(self.settings.whatsapp_secret))

    @cached_property
    def receipt_sink(self) -> "SQSReceiptSink":
        from chalicelib.notifications.queues import SQSReceiptSink

        return SQSReceiptSink(self.aws.sqs, self.settings.receipts_queue_url)


def _is_built(owner: type, name: str) -> bool:
    return isinstance(getattr(owner, name, None), cached_property)
