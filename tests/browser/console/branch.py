"""A branch with a market of these days, and its people: what the tests of the console begin with."""

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import boto3
from chalice.local import LambdaContext

from chalicelib.callers import EVERY_CAMPAIGN, Channel, Role
from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.clients.schemas import EnrolClient
from ops.fake_sms.server import FakeSmsServer
from tests.support.app_server import STAGE
from tests.support.app_stage import CAMPAIGN, AppStage
from tests.support.aws_events import make_schedule_event, make_sqs_event
from tests.support.payloads import make_campaign_payload, make_capture_id, make_capture_payload, make_nik
from tests.support.stream_replay import StreamReplay

OTHER_CAMPAIGN = "senen-2026"
ZONE = ZoneInfo("Asia/Jakarta")


@dataclass
class Branch:
    """The app with two campaigns, and tokens for whoever a test needs. Texts reach `gateway`."""

    stage: AppStage
    gateway: FakeSmsServer
    _stream: StreamReplay = field(init=False)

    def __post_init__(self) -> None:
        today = self.stage.clock().date()
        other = make_campaign_payload(
            campaign_id=OTHER_CAMPAIGN,
            name="Aktivasi Pasar Senen",
            place="Pasar Senen",
            first_day=(today - timedelta(days=1)).isoformat(),
            last_day=(today + timedelta(days=1)).isoformat(),
            accepts_until="2999-12-31",
        )
        self.stage.container.campaigns.open(Campaign.model_validate(other))
        self._kiosk = self.enrol("van-7", Role.KIOSK)
        self._stream = StreamReplay(self)

    @property
    def url(self) -> str:
        """Return the console's address."""
        return f"http://127.0.0.1:{self.stage.server.server_port}{STAGE}/console"

    @property
    def today(self) -> str:
        return self.stage.clock().astimezone(ZONE).date().isoformat()

    def enrol(self, client_id: str, role: Role, campaign_id: str = CAMPAIGN) -> str:
        """Enrol a client and return its token."""
        channel = Channel.VAN if role is Role.KIOSK else Channel.OFFICE
        client = EnrolClient(client_id=client_id, roles=(role,), channel=channel, campaigns=(campaign_id,))
        return self.stage.container.clients.enrol(client)[1]

    def enrol_core(self) -> str:
        """Enrol the core system and return its token."""
        return self.enrol("membership", Role.CORE, EVERY_CAMPAIGN)

    def register(self, number: int = 1, *, token: str | None = None, **changes: Any) -> str:
        """Register a worker at the van, or by another token, and return the reference."""
        capture = make_capture_payload(capture_id=make_capture_id(number), captured_at=self.now, **changes)
        capture["consent"]["given_at"] = capture["captured_at"]
        capture["worker"] = {**capture["worker"], "nik": make_nik(7000 + number)}
        answer = self.send("POST", "/v1/registrations", capture, token=token or self._kiosk)
        reference: str = answer["reference"]
        self.publish()
        return reference

    def publish(self) -> None:
        """Publish what changed, as the stream does, and send the SMS that follow from it."""
        self._stream.publish()
        sqs = boto3.client("sqs")
        url = sqs.get_queue_url(QueueName="notifications")["QueueUrl"]
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            self.invoke("on_notifications", make_sqs_event(*(each["Body"] for each in messages)))
            for each in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])

    def send_due_sms(self) -> None:
        """Send the SMS whose time has come, as the schedule does each minute."""
        self.invoke("queue_due_sms", make_schedule_event())
        self.publish()

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Invoke a function with an event."""
        context = LambdaContext(function, memory_size=512, max_runtime_ms=900_000)
        return self.stage.server.app.handler_map[function](event, context)

    def list_sms(self, phone: str) -> list[str]:
        """Return the SMS that a phone got."""
        return [each.text for each in self.gateway.inbox.list_sms() if each.to == phone]

    def count(self, campaign_id: str = CAMPAIGN) -> None:
        """Count today."""
        campaign_day = CampaignDay(campaign_id, date.fromisoformat(self.today))
        self.stage.container.rollups.recount(campaign_day)

    def send(self, method: str, path: str, body: Any = None, *, token: str) -> Any:
        """Send a request of somebody else than the browser, and return the answer's body."""
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        content = b"" if body is None else json.dumps(body).encode()
        status, _, answer = self.stage.server.answer(method, path, headers, content)
        assert status < 300, answer
        return json.loads(answer)

    @property
    def now(self) -> str:
        return self.stage.clock().astimezone(ZONE).replace(microsecond=0).isoformat()
