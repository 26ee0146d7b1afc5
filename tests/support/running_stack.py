"""The packaged stack that end-to-end tests run against, and the ways into it."""

import json
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from ops.api_client import ApiClient
from ops.local.description import StackDescription
from ops.local.stack import LocalStack


@dataclass(frozen=True)
class RunningStack:
    """The stack under test, and the ways into it."""

    local_stack: LocalStack
    description: StackDescription
    enrolled_tokens: dict[str, str] = field(default_factory=dict)

    def enrol(self, client_id: str, role: str, *campaigns: str) -> None:
        """Enrol a client that `send` knows from now on."""
        body = {"client_id": client_id, "roles": [role], "campaigns": campaigns}
        answer = self.send("admin", "POST", "/v1/clients", body)
        assert answer.status_code == 201, answer.text
        self.enrolled_tokens[client_id] = answer.json()["token"]

    def send(self, client: str, method: str, path: str, body: object = None) -> httpx.Response:
        """One request as a role, a device of the example or an enrolled client, until it is answered."""
        return self.send_bytes(client, method, path, None if body is None else json.dumps(body).encode())

    def send_bytes(self, client: str, method: str, path: str, body: bytes | None) -> httpx.Response:
        """The same with a body that is sent as it is."""
        token = self.enrolled_tokens.get(client) or self.description.find_token(client)
        assert token is not None, f"no client {client}"
        with closing(ApiClient(self.description.api_url, token)) as api:
            return api.send(method, path, body)

    def aws_client(self, service: str) -> Any:
        """A client of a service of the embedded AWS, as its root user."""
        return self.local_stack.emulator.make_client(service)

    def list_sms(self) -> list[dict[str, Any]]:
        """The texts sent so far, oldest first."""
        return self.description.fetch_sms()

    def fire_schedules(self) -> list[Any]:
        """Fire every schedule now, through the targets that its rule has; what their functions answered."""
        events = self.aws_client("events")
        rules = [rule for rule in events.list_rules()["Rules"] if "ScheduleExpression" in rule]
        return [
            self._invoke(target["Arn"], _make_scheduled_event(rule["Arn"], self.description.region))
            for rule in rules
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        ]

    def _invoke(self, function: str, event: dict[str, Any]) -> Any:
        answer = self.aws_client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload


def _make_scheduled_event(rule: str, region: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "00000000-0000-0000-0000-000000000000",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [rule],
        "detail": {},
    }
