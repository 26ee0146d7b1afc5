"""Up to how many registrations a second each part of the stage holds, and what is changed then. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.cost.bill import Prices
from bench.model.heat import count_place_units, count_units, list_heat
from bench.model.profile import OperationProfile
from bench.model.quotas import Assumptions, StageLimits

_QUEUED = {
    "OnNotifications": "raise its MaximumConcurrency with the rate of the gateway",
    "OnReceipts": "raise its MaximumConcurrency; receipts wait, nothing is lost for four days",
}
# What runs for one registration, and how often.
_RUNS = ("APIHandler", "OnRegistrationChanges", "OnNotifications", "OnReceipts")


@dataclass(frozen=True)
class Limit:
    """The rate of registrations at which a part is full, and what is changed then."""

    part: str
    registrations_a_second: float
    remedy: str


@dataclass(frozen=True)
class Model:
    """Everything that the model computes from."""

    profiles: Mapping[str, OperationProfile]
    counts: Mapping[str, Mapping[str, float]]
    quotas: Mapping[str, float]
    stage: StageLimits
    prices: Prices
    load: Assumptions


def list_limits(model: Model) -> list[Limit]:
    """Return every limit, that which breaks first before the others."""
    return sorted(
        [
            *_list_api_limits(model),
            *_iter_queue_limits(model),
            *_iter_table_limits(model),
            *_iter_partition_limits(model),
            find_relay_limit(model),
        ],
        key=lambda limit: limit.registrations_a_second,
    )


def find_relay_limit(model: Model) -> Limit:
    """Return the registrations a second that the stream's function publishes.

    Each partition of the table is a shard. A table that was split for more writes has more of them.
    """
    shards = model.quotas["new_table_write_units"] / model.quotas["partition_write_units"]
    counts = model.counts["publish_20_registrations"]
    # The requests of a batch run one after the other.
    requests = (counts["dynamodb.requests"] + counts["sqs.requests"]) / 20
    seconds = requests * model.load["dynamodb_milliseconds"] / 1_000
    return Limit(
        "Relay: the stream of a new table",
        shards * model.stage.stream_batches_a_shard / seconds,
        "WarmRegistrationsASecond brings shards; the backlog is kept for 24 hours",
    )


def _list_api_limits(model: Model) -> list[Limit]:
    parameters, quotas, bots = model.stage.parameters, model.quotas, model.load["share_of_bots"]
    seconds = sum(model.prices.milliseconds[function] for function in _RUNS) / 1_000
    return [
        Limit(
            "API: requests to one method, sent one by one",
            parameters["ApiRateLimit"],
            "raise ApiRateLimit; batches carry 20 and more in one request",
        ),
        Limit(
            "Firewall: requests of one token, all bots behind one",
            parameters["ClientRateLimit"] / (quotas["firewall_minutes"] * 60) / bots,
            "a token for each bot server, or raise ClientRateLimit",
        ),
        Limit("API Gateway: requests of the account", quotas["api_requests"], "ask AWS for more"),
        Limit(
            "Lambda: concurrency of the account",
            quotas["lambda_concurrency"] / seconds,
            "ask AWS for more; a new account begins with 10",
        ),
    ]


def _iter_queue_limits(model: Model) -> Iterator[Limit]:
    yield Limit(
        "SMS: parts a second of the gateway",
        model.stage.parameters["SmsPartsASecond"],
        "more gateways by contract (GatewayWeights), then SmsPartsASecond; WhatsApp in place of SMS",
    )
    for function, remedy in _QUEUED.items():
        rate = model.stage.concurrency[function] / (model.prices.milliseconds[function] / 1_000)
        yield Limit(f"{function}: concurrent runs", rate, remedy)


def _iter_table_limits(model: Model) -> Iterator[Limit]:
    for place, units in count_place_units(count_units(model.profiles, model.load)).items():
        new, most = (model.quotas[name] / units for name in ("new_table_write_units", "table_write_units"))
        yield Limit(
            f"{place}: new, at once", new, "WarmRegistrationsASecond before the day; or grow over hours"
        )
        yield Limit(f"{place}: quota of a table", most, "ask AWS for more")


def _iter_partition_limits(model: Model) -> Iterator[Limit]:
    for heat in list_heat(model.profiles, model.load):
        yield Limit(
            f"Partition: {heat.design}",
            heat.count_registrations(model.quotas["partition_write_units"]),
            _REMEDIES.get(heat.design, "more shards, which need a release that reads both numbers"),
        )


_REMEDIES = {
    "SendingTable LINE": "a line for each gateway, as for each chat channel",
    "AuditTable.by_client {client}": "a token for each server of the core; or a day in the index's key",
    "SummariesTable DIRTY": "shards of the dirty days, read by a release before they are written",
}
