"""The object graph: every service and store, built on first use.

The modules that captures need are imported with this one. The others are imported by the property that needs
them: the API, whose cold start a caller waits for, would pay for them too.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.campaigns.service import CampaignService
from chalicelib.campaigns.store import DynamoCampaigns
from chalicelib.clients.builder import (
    build_client_registry,
    build_daily_cap_limiter,
    build_kiosk_cap_limiter,
    build_last_seen_tracker,
    build_token_use_tracker,
)
from chalicelib.clients.caps import DailyCapLimiter
from chalicelib.clients.kiosk_cap import KioskCapLimiter
from chalicelib.clients.service import ClientRegistry, LastSeenTracker
from chalicelib.clients.uses import TokenUseTracker
from chalicelib.container_stores import KeysAndStores
from chalicelib.contributions.rules import load_rules
from chalicelib.contributions.service import QuoteService
from chalicelib.registrations.builder_intake import build_intake_service
from chalicelib.registrations.intake import IntakeService
from chalicelib.registrations.rules import AgeLimits

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.audit.service import AuditService
    from chalicelib.audit.store import DynamoAuditTrail
    from chalicelib.channels.odk.service import OdkService
    from chalicelib.chats.linked_captures import LinkedCaptures
    from chalicelib.chats.reports import ChatReports
    from chalicelib.chats.service import ChatSender
    from chalicelib.conversations.queues import SQSChatEvents
    from chalicelib.conversations.service import ConversationService, EffectRunner
    from chalicelib.corrections.service import CorrectionService
    from chalicelib.data_requests.service import DataRequestService
    from chalicelib.deliveries.service import ReportDeliveryService
    from chalicelib.devices.bundle import BundleService
    from chalicelib.devices.checks import FieldChecker
    from chalicelib.devices.device_states import DeviceStateService
    from chalicelib.enrolments.links import LinkService
    from chalicelib.enrolments.service import EnrolmentService
    from chalicelib.exports.service import ExportService
    from chalicelib.messaging.gate import ContentGate
    from chalicelib.messaging.twilio import TwilioAccount
    from chalicelib.notifications.confirmations import ConfirmationService
    from chalicelib.notifications.due_sms import DueSmsQueuer
    from chalicelib.notifications.held_sms import HeldSmsService
    from chalicelib.notifications.requests import SmsRequestService
    from chalicelib.notifications.service import NotificationService
    from chalicelib.notifications.store_history import DynamoSmsHistory
    from chalicelib.notifications.store_ledger import DynamoSmsLedger
    from chalicelib.registrations.discards import DiscardService
    from chalicelib.registrations.erasure import ErasureService
    from chalicelib.registrations.lifecycle import LifecycleService
    from chalicelib.registrations.reading import ReadingService
    from chalicelib.registrations.store_corrections import DynamoCorrectionStore
    from chalicelib.registrations.stream import StreamPublisher
    from chalicelib.rescues.service import RescueService
    from chalicelib.reviews.service import ReviewService
    from chalicelib.reviews.watcher import ReviewWatcher
    from chalicelib.rollups.board import BoardService
    from chalicelib.rollups.due import DueDayFinder
    from chalicelib.rollups.reporting import ReportService
    from chalicelib.rollups.service import RollUpService
    from chalicelib.searches.service import SearchService
    from chalicelib.statuses.service import StatusService


class Container(KeysAndStores):
    """Build services on first use. One instance per Lambda container, per test, per command."""

    # The audit trail

    @cached_property
    def audit_trail(self) -> "DynamoAuditTrail":
        from chalicelib.audit.builder import build_audit_trail

        return build_audit_trail(self)

    @cached_property
    def audit(self) -> "AuditService":
        from chalicelib.audit.service import AuditService

        return AuditService(store=self.audit_trail, clock=self.clock)

    # Clients, campaigns, quotes

    @cached_property
    def clients(self) -> ClientRegistry:
        return build_client_registry(self)

    @cached_property
    def enrolments(self) -> "EnrolmentService":
        from chalicelib.enrolments.builder import build_enrolment_service

        return build_enrolment_service(self)

    @cached_property
    def links(self) -> "LinkService":
        from chalicelib.enrolments.builder import build_link_service

        return build_link_service(self)

    @cached_property
    def rescues(self) -> "RescueService":
        from chalicelib.rescues.service import RescueService

        return RescueService(keys=self.rescue_keys, clients=self.clients)

    @cached_property
    def last_seen(self) -> LastSeenTracker:
        return build_last_seen_tracker(self)

    @cached_property
    def token_uses(self) -> TokenUseTracker:
        return build_token_use_tracker(self)

    @cached_property
    def client_caps(self) -> DailyCapLimiter:
        return build_daily_cap_limiter(self)

    @cached_property
    def kiosk_cap(self) -> KioskCapLimiter:
        return build_kiosk_cap_limiter(self)

    @cached_property
    def campaigns(self) -> CampaignService:
        return CampaignService(
            campaigns=DynamoCampaigns(
                self.aws.dynamodb,
                self.settings.campaigns_table,
                self.cipher,
                build_audit_write=self.audit_trail.build_append,
            ),
            get_due_list=lambda: self.due_list,
            clock=self.clock,
        )

    @cached_property
    def quotes(self) -> QuoteService:
        return QuoteService(rules=load_rules(), clock=self.clock)

    # Registrations

    @cached_property
    def intake(self) -> IntakeService:
        return build_intake_service(self)

    @cached_property
    def checks(self) -> "FieldChecker":
        from chalicelib.devices.builder import build_field_checker

        return build_field_checker(self)

    @cached_property
    def device_states(self) -> "DeviceStateService":
        from chalicelib.devices.builder import build_device_state_service

        return build_device_state_service(self)

    @cached_property
    def bundles(self) -> "BundleService":
        from chalicelib.devices.builder import build_bundle_service

        return build_bundle_service(self)

    @cached_property
    def odk(self) -> "OdkService":
        from chalicelib.channels.odk.builder import build_odk_service

        return build_odk_service(self)

    @cached_property
    def age_limits(self) -> AgeLimits:
        return AgeLimits(minimum_age=self.settings.minimum_age)

    @cached_property
    def reading(self) -> "ReadingService":
        from chalicelib.registrations.reading import ReadingService

        return ReadingService(store=self.reading_store, clock=self.clock)

    @cached_property
    def discards(self) -> "DiscardService":
        from chalicelib.registrations.builder import build_discard_service

        return build_discard_service(self)

    @cached_property
    def statuses(self) -> "StatusService":
        from chalicelib.clock import sleep
        from chalicelib.statuses.service import StatusService

        return StatusService(registrations=self.reading_store, clock=self.clock, sleep=sleep)

    @cached_property
    def lifecycle(self) -> "LifecycleService":
        from chalicelib.registrations.builder import build_lifecycle_service

        return build_lifecycle_service(self)

    @cached_property
    def corrections(self) -> "CorrectionService":
        from chalicelib.corrections.builder import build_correction_service

        return build_correction_service(self)

    @cached_property
    def correction_store(self) -> "DynamoCorrectionStore":
        from chalicelib.registrations.builder import build_correction_store

        return build_correction_store(self)

    @cached_property
    def erasure(self) -> "ErasureService":
        from chalicelib.registrations.builder import build_erasure_service

        return build_erasure_service(self)

    @cached_property
    def stream_publisher(self) -> "StreamPublisher":
        from chalicelib.registrations.builder import build_stream_publisher

        return build_stream_publisher(self)

    @cached_property
    def sms_history(self) -> "DynamoSmsHistory":
        from chalicelib.notifications.builder import build_sms_history

        return build_sms_history(self)

    @cached_property
    def confirmations(self) -> "ConfirmationService":
        from chalicelib.notifications.confirmations import ConfirmationService

        return ConfirmationService(sms_history=self.sms_history)

    @cached_property
    def data_requests(self) -> "DataRequestService":
        from chalicelib.data_requests.builder import build_data_request_service

        return build_data_request_service(self)

    @cached_property
    def reviews(self) -> "ReviewService":
        from chalicelib.reviews.builder import build_review_service

        return build_review_service(self)

    @cached_property
    def searches(self) -> "SearchService":
        from chalicelib.searches.builder import build_search_service

        return build_search_service(self)

    @cached_property
    def review_watcher(self) -> "ReviewWatcher":
        from chalicelib.reviews.builder import build_review_watcher

        return build_review_watcher(self)

    # Summaries

    @cached_property
    def due_days(self) -> "DueDayFinder":
        from chalicelib.rollups.builder import build_due_day_finder

        return build_due_day_finder(self)

    @cached_property
    def rollups(self) -> "RollUpService":
        from chalicelib.rollups.builder import build_roll_up_service

        return build_roll_up_service(self)

    @cached_property
    def reports(self) -> "ReportService":
        from chalicelib.rollups.reporting import ReportService

        return ReportService(summaries=self.summary_store, campaigns=self.campaigns, previewer=self.rollups)

    @cached_property
    def board(self) -> "BoardService":
        from chalicelib.rollups.board import BoardService

        return BoardService(reports=self.reports, campaigns=self.campaigns, clock=self.clock)

    @cached_property
    def deliveries(self) -> "ReportDeliveryService":
        from chalicelib.deliveries.builder import build_delivery_service

        return build_delivery_service(self)

    @cached_property
    def exports(self) -> "ExportService":
        from chalicelib.exports.builder import build_export_service

        return build_export_service(self)

    # Chats

    @cached_property
    def chat_sender(self) -> "ChatSender":
        from chalicelib.chats.builder import build_chat_sender

        return build_chat_sender(self)

    @cached_property
    def chat_reports(self) -> "ChatReports":
        from chalicelib.chats.builder import build_report_recorder

        return build_report_recorder(self)

    @cached_property
    def chat_effects(self) -> "dict[str, EffectRunner]":
        from chalicelib.chats.builder import build_chat_effects
        from chalicelib.reviews.builder_chats import build_hand_off_effect

        return {**build_chat_effects(self), "hand_off": build_hand_off_effect(self)}

    @cached_property
    def linked_captures(self) -> "LinkedCaptures":
        from chalicelib.chats.builder import build_linked_captures

        return build_linked_captures(self)

    @cached_property
    def conversations(self) -> "ConversationService":
        from chalicelib.conversations.builder import build_conversation_service

        return build_conversation_service(self)

    @cached_property
    def chat_handler(self) -> "Callable[[str], None]":
        """The handler of the messages of the queue of chat events."""
        from chalicelib.conversations.builder import build_chat_event_handler

        return build_chat_event_handler(self)

    @cached_property
    def chat_events(self) -> "SQSChatEvents":
        from chalicelib.conversations.builder import build_chat_events

        return build_chat_events(self)

    # SMS

    @cached_property
    def sms_ledger(self) -> "DynamoSmsLedger":
        from chalicelib.notifications.builder import build_sms_ledger

        return build_sms_ledger(self)

    @cached_property
    def notifications(self) -> "NotificationService":
        from chalicelib.chats.builder import build_capture_chats, build_notice_gateways
        from chalicelib.notifications.builder import build_notification_service

        return build_notification_service(self, build_capture_chats(self), build_notice_gateways(self))

    @cached_property
    def held_sms(self) -> "HeldSmsService":
        from chalicelib.notifications.builder import build_held_sms_service

        return build_held_sms_service(self)

    @cached_property
    def sms_requests(self) -> "SmsRequestService":
        from chalicelib.notifications.builder import build_sms_request_service

        return build_sms_request_service(self)

    @cached_property
    def due_sms(self) -> "DueSmsQueuer":
        from chalicelib.notifications.builder import build_due_sms_queuer

        return build_due_sms_queuer(self)

    @cached_property
    def sms_gateway(self) -> "ContentGate":
        from chalicelib.messaging.builder import build_sms_gateway

        return build_sms_gateway(self)

    @cached_property
    def twilio_account(self) -> "TwilioAccount":
        """The account at the Twilio-compatible gateway; its secret is read once per container."""
        from chalicelib.messaging.builder import read_twilio_account

        return read_twilio_account(self)
