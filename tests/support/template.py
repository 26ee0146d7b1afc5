"""Queries on the packaged template."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Properties = Mapping[str, Any]

_SUB_REFERENCE = re.compile(r"\$\{(\w+)[.}]")
_NO_VALUE = {"Ref": "AWS::NoValue"}


@dataclass(frozen=True)
class EventSource:
    """One of the `Events` of a function."""

    function: str
    kind: str
    properties: Properties


@dataclass(frozen=True)
class Grant:
    """One action that a role may call on one resource."""

    action: str
    resource: str


class PackagedTemplate:
    """The template that is deployed: the functions and API of Chalice, and everything of `infra/`."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.resources: Mapping[str, Any] = document["Resources"]

    def find_resources(self, kind: str) -> dict[str, Properties]:
        """Return the properties of every resource of a type, by logical id."""
        found = {name: each for name, each in self.resources.items() if each["Type"] == kind}
        return {name: each["Properties"] for name, each in found.items()}

    @property
    def functions(self) -> dict[str, Properties]:
        return self.find_resources("AWS::Serverless::Function")

    @property
    def queues(self) -> dict[str, Properties]:
        return self.find_resources("AWS::SQS::Queue")

    @property
    def tables(self) -> dict[str, Properties]:
        return self.find_resources("AWS::DynamoDB::Table")

    @property
    def api(self) -> Properties:
        (api,) = self.find_resources("AWS::Serverless::Api").values()
        return api

    def find_event_sources(self, kind: str) -> list[EventSource]:
        """Return every event source of one kind (SQS, DynamoDB, Schedule)."""
        return [
            EventSource(name, kind, event["Properties"])
            for name, function in self.functions.items()
            for event in function.get("Events", {}).values()
            if event["Type"] == kind
        ]

    def find_consumed_queues(self) -> dict[str, EventSource]:
        """Return the event source of each queue that a function reads."""
        return {
            resolve_logical_id(source.properties["Queue"]): source
            for source in self.find_event_sources("SQS")
        }

    def find_dead_letter_queues(self) -> set[str]:
        """Return the queues that messages, records and events go to when they have failed for good."""
        redrives = (queue.get("RedrivePolicy", {}) for queue in self.queues.values())
        targets = [each["deadLetterTargetArn"] for each in redrives if each]
        for function in self.functions.values():
            configs = [function.get("EventInvokeConfig", {})]
            configs += [event["Properties"] for event in function.get("Events", {}).values()]
            for each in configs:
                targets += [get_failure_destination(each)] if get_failure_destination(each) else []
                targets += [each["DeadLetterConfig"]["Arn"]] if "DeadLetterConfig" in each else []
        return {resolve_logical_id(target) for target in targets}

    def find_role(self, function: str) -> str:
        return resolve_logical_id(self.functions[function]["Role"])

    def iter_grants(self, role: str) -> Iterator[Grant]:
        """Yield every action that a role may call, on every resource."""
        for policy in self.resources[role]["Properties"]["Policies"]:
            for each in policy["PolicyDocument"]["Statement"]:
                statement, condition = split_condition(each)
                assert statement["Effect"] == "Allow", "IAM denies what a role is not allowed"
                for action in as_list(statement["Action"]):
                    for resource in as_list(statement["Resource"]):
                        yield Grant(action, format_resource(resource) + condition)

    def find_alarms(self, namespace: str, metric: str, dimension: str) -> dict[str, Properties]:
        """Return the alarms on one metric, by the logical id of the resource that they watch."""
        return {
            resolve_logical_id(each["Value"]): alarm
            for alarm in self.find_resources("AWS::CloudWatch::Alarm").values()
            if (alarm["Namespace"], alarm["MetricName"]) == (namespace, metric)
            for each in alarm.get("Dimensions", [])
            if each["Name"] == dimension
        }

    def resolve_defaults(self, value: Any) -> Any:
        """Return a value as it is with the defaults of all parameters."""
        match value:
            case {"Ref": name} if name in self.document["Parameters"]:
                return self.document["Parameters"][name]["Default"]
            case {"Fn::If": [condition, then, otherwise]}:
                chosen = then if self._is_met(self.document["Conditions"][condition]) else otherwise
                return self.resolve_defaults(chosen)
        return value

    def _is_met(self, condition: Mapping[str, Any]) -> bool:
        match condition:
            case {"Fn::Equals": [left, right]}:
                return bool(self.resolve_defaults(left) == self.resolve_defaults(right))
            case {"Fn::Not": [inner]}:
                return not self._is_met(inner)
        raise AssertionError(f"unknown condition: {condition}")


def resolve_logical_id(value: Any) -> str:
    """Return the logical id of the only resource that a value refers to."""
    match value:
        case {"Ref": str(name)}:
            return name.partition(".")[0]
        case {"Fn::GetAtt": [str(name), *_]}:
            return name
        case {"Fn::Sub": str(text)}:
            (name,) = set(_SUB_REFERENCE.findall(text))
            return str(name)
    raise AssertionError(f"refers to no resource of this template: {value!r}")


def format_resource(value: Any) -> str:
    """Return a resource of a policy as one readable string."""
    match value:
        case str():
            return value
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{name}.{attribute}"
        case {"Fn::Sub": str(text)}:
            return text.replace("${", "").replace("}", "")
        case {"Fn::If": [condition, then, otherwise]} if otherwise == _NO_VALUE:
            return f"{format_resource(then)} if {condition}"
    raise AssertionError(f"unknown resource: {value!r}")


def split_condition(statement: Any) -> tuple[Any, str]:
    """Return a statement of a policy, and the condition on which it exists."""
    match statement:
        case {"Fn::If": [condition, then, otherwise]} if otherwise == _NO_VALUE:
            return then, f" if {condition}"
    return statement, ""


def get_failure_destination(properties: Properties) -> Any:
    """Return the destination of failed events of an event source or a function, or None."""
    return properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def to_json(document: Any) -> str:
    """Return a part of the template as text."""
    return json.dumps(document, sort_keys=True)
