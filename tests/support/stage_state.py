"""Reads what a stage on moto has stored and queued."""

import json
from collections.abc import Iterator
from typing import Any

import boto3


def scan_registrations(kind: str) -> list[dict[str, Any]]:
    """Return the items of one kind, such as `CAPTURE`, of the registrations table, as its stream has them."""
    return [item for item in _scan("RegistrationsTable") if item["sk"]["S"] == kind]


def receive_domain_events() -> list[dict[str, Any]]:
    """Receive every message of the notifications queue."""
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="notifications")["QueueUrl"]
    events: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        events += [json.loads(message["Body"]) for message in messages]
    return events


def read_dirty_days() -> dict[str, int]:
    """Return how often each dirty day was marked."""
    items = _scan("SummariesTable")
    return {item["sk"]["S"]: int(item["generation"]["N"]) for item in items if item["pk"]["S"] == "DIRTY"}


def _scan(table: str) -> Iterator[dict[str, Any]]:
    """Yield every item of a table: one request returns a megabyte at most."""
    for page in boto3.client("dynamodb").get_paginator("scan").paginate(TableName=table):
        yield from page["Items"]
