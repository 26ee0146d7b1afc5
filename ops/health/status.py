"""Read how a stage is now: its queues, its SMS, its alarms, its schedules and its versions."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chalicelib.messaging.store import DynamoSendRateLimiter
from chalicelib.notifications.model import SmsState
from chalicelib.notifications.store_ledger import DynamoSmsLedger
from chalicelib.refusals import RecordUnreadable
from infra.alarms import ALARMS
from infra.functions import ALIAS
from infra.template import join_template
from ops.aws_errors import AWS_ERRORS, explain_aws_error
from ops.campaign_days import iter_campaign_days
from ops.dead_letters.queues import DEAD_LETTER_QUEUES
from ops.deploy.stage_record import is_emulated
from ops.deploy.stages import Stage

_COUNTS = {
    "waiting": "ApproximateNumberOfMessages",
    "in_work": "ApproximateNumberOfMessagesNotVisible",
    "delayed": "ApproximateNumberOfMessagesDelayed",
}
# The functions that a schedule invokes, and the longest time between two of their runs.
SCHEDULES = {
    alarm.dimensions["FunctionName"]["Ref"]: timedelta(seconds=alarm.period_seconds * alarm.periods)
    for alarms in ALARMS.values()
    for alarm in alarms
    if alarm.metric == "Invocations" and alarm.below
}
_QUEUES = [
    name for name, each in join_template()["Resources"].items() if each.get("Type") == "AWS::SQS::Queue"
]
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
# CloudWatch has no figures for the last minutes, and the age of a queue every minute while it is in use.
_AGE_PERIOD = timedelta(minutes=15)
# SMS of earlier days are settled, or are held for a person.
_UNKNOWN_AGES = (timedelta(), timedelta(days=1))


@dataclass(frozen=True)
class Section:
    """One part of a status: figures, lines for people, and what is not as it should be."""

    figures: Mapping[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_status(stage: Stage, now: datetime) -> dict[str, Section]:
    """Return every section of a stage's status. One that AWS does not answer has that as its problem."""
    return {name: _read(name, section, stage, now) for name, section in _SECTIONS.items()}


def _read(name: str, section: Callable[[Stage, datetime], Section], stage: Stage, now: datetime) -> Section:
    try:
        return section(stage, now)
    except AWS_ERRORS as error:
        return Section(problems=[f"{name}: {explain_aws_error(error)}"])


def _read_queues(stage: Stage, now: datetime) -> Section:
    sqs = stage.aws_client("sqs")
    urls = {name: stage.outputs[f"{name}Url"] for name in _QUEUES}
    counts = {
        name: {
            count: int(attributes.get(attribute, 0))
            for attributes in [
                sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[*_COUNTS.values()])["Attributes"]
            ]
            for count, attribute in _COUNTS.items()
        }
        for name, url in urls.items()
    }
    ages = _read_ages(stage, {name: url for name, url in urls.items() if counts[name]["waiting"]}, now)
    figures = {name: {**counts[name], "oldest_seconds": ages.get(name)} for name in _QUEUES}
    lines = [
        f"{name}: {count['waiting']} waiting, {count['in_work']} in work"
        + ("" if count["oldest_seconds"] is None else f", the oldest for {count['oldest_seconds']} s")
        for name, count in figures.items()
        if count["waiting"] or count["in_work"]
    ]
    command = stage.format_command("dead-letters list")
    problems = [
        f"{name}: {counts[name]['waiting']} failed for good; {command}"
        for name in DEAD_LETTER_QUEUES
        if counts[name]["waiting"]
    ]
    return Section(figures, lines or ["no message waits"], problems)


def _read_ages(stage: Stage, urls: Mapping[str, str], now: datetime) -> dict[str, int]:
    """Return the age in seconds of the oldest message of each queue that CloudWatch has an age of."""
    metrics = {
        name: ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", url.rpartition("/")[2])
        for name, url in urls.items()
    }
    series = _read_metrics(stage, metrics, "Maximum", since=now - _AGE_PERIOD, until=now, period=_MINUTE)
    return {name: int(values[0][1]) for name, values in series.items() if values}


def _read_metrics(
    stage: Stage,
    metrics: Mapping[str, tuple[str, str, str, str]],
    statistic: str,
    *,
    since: datetime,
    until: datetime,
    period: timedelta,
) -> dict[str, list[tuple[datetime, float]]]:
    """Return the values of each metric that are not zero, newest first."""
    if not metrics:
        return {}
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": metric,
                    "Dimensions": [{"Name": dimension, "Value": value}],
                },
                "Period": int(period.total_seconds()),
                "Stat": statistic,
            },
        }
        for number, (namespace, metric, dimension, value) in enumerate(metrics.values())
    ]
    pages = (
        stage.aws_client("cloudwatch")
        .get_paginator("get_metric_data")
        .paginate(MetricDataQueries=queries, StartTime=since, EndTime=until)
    )
    found: dict[str, list[tuple[datetime, float]]] = {name: [] for name in metrics}
    names = dict(zip((each["Id"] for each in queries), metrics, strict=True))
    for page in pages:
        for result in page["MetricDataResults"]:
            points = zip(result["Timestamps"], result["Values"], strict=True)
            found[names[result["Id"]]] += [point for point in points if point[1]]
    return {name: sorted(points, reverse=True) for name, points in found.items()}


def _read_sms(stage: Stage, now: datetime) -> Section:
    dynamodb = stage.aws_client("dynamodb")
    stopped = DynamoSendRateLimiter(dynamodb, stage.outputs["SendingTableName"]).find_stop(now)
    ledger = DynamoSmsLedger(
        dynamodb,
        sms_table=stage.outputs["SmsLedgerTableName"],
        sending_table=stage.outputs["SendingTableName"],
        new_write_id=now.isoformat,
    )
    held = Counter(filter(None, (_find_hold_reason(ledger, each) for each in ledger.iter_held())))
    unknown = sum(
        facts.state == SmsState.UNKNOWN
        for day in iter_campaign_days(stage, [(now - age).date() for age in _UNKNOWN_AGES])
        for facts in ledger.iter_day_facts(day)
    )
    problems = (
        []
        if stopped is None
        else [f"no SMS is sent ({stopped.reason}); {stage.format_command('sms resume')}"]
    )
    if held:
        problems.append(f"held SMS: {held.total()}; {stage.format_command('sms status')} says why")
    figures = {
        "is_stopped": stopped is not None,
        "reason": stopped and stopped.reason,
        "held": dict(held),
        "unknown": unknown,
    }
    line = f"{held.total()} SMS held, {unknown} of the last two days with an unknown outcome"
    return Section(figures, [line], problems)


def _find_hold_reason(ledger: DynamoSmsLedger, sms_id: Any) -> str | None:
    try:
        held = ledger.get(sms_id)
    except RecordUnreadable as error:
        return error.code
    return None if held is None else str(held.reason)


def _read_alarms(stage: Stage, _now: datetime) -> Section:
    pages = (
        stage.aws_client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(
            StateValue="ALARM",
            AlarmNamePrefix=f"{stage.stack_name}-",
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
        )
    )
    ringing = [
        {"alarm": each["AlarmName"], "since": each.get("StateUpdatedTimestamp")}
        for page in pages
        for kind in ("MetricAlarms", "CompositeAlarms")
        for each in page.get(kind, ())
    ]
    lines = [f"{each['alarm']} rings since {each['since']:%Y-%m-%d %H:%M} UTC" for each in ringing]
    problems = [f"ringing alarms: {len(ringing)}; docs/operating.md says what to do"] if ringing else []
    # The emulator reads alarms, but does not judge them as CloudWatch does.
    return Section({"ringing": ringing}, lines or ["no alarm rings"], [] if is_emulated(stage) else problems)


def _read_schedules(stage: Stage, now: datetime) -> Section:
    deployed_at = _describe_stack(stage)["CreationTime"]
    last_runs: dict[str, datetime | None] = {}
    for function, longest in SCHEDULES.items():
        metric = ("AWS/Lambda", "Invocations", "FunctionName", stage.outputs[f"{function}Name"])
        period = _MINUTE if longest <= timedelta(hours=3) else _HOUR
        series = _read_metrics(
            stage, {function: metric}, "Sum", since=now - longest - period, until=now, period=period
        )
        last_runs[function] = series[function][0][0] if series[function] else None
    silent = [
        name
        for name, at in last_runs.items()
        if at is None and not is_emulated(stage) and now - deployed_at > SCHEDULES[name]
    ]
    lines = [
        f"{name}: "
        + (
            f"no run in the last {_format_duration(SCHEDULES[name])}"
            if at is None
            else f"last run at {at:%Y-%m-%d %H:%M} UTC"
        )
        for name, at in last_runs.items()
    ]
    problems = [
        f"{name} has not run for {_format_duration(SCHEDULES[name])}: look at its rule and its log"
        for name in silent
    ]
    return Section(last_runs, lines, problems)


def _read_versions(stage: Stage, _now: datetime) -> Section:
    stack, lambda_client = _describe_stack(stage), stage.aws_client("lambda")
    functions = {
        name: lambda_client.get_function_configuration(FunctionName=physical, Qualifier=ALIAS)
        for name, physical in iter_functions(stage)
    }
    closed = [
        name
        for name, physical in iter_functions(stage)
        if lambda_client.get_function_concurrency(FunctionName=physical).get("ReservedConcurrentExecutions")
        == 0
    ]
    packages = {each["CodeSha256"] for each in functions.values()}
    runtimes = sorted({each["Runtime"] for each in functions.values()})
    changed_at = stack.get("LastUpdatedTime") or stack["CreationTime"]
    figures = {
        "stack_status": stack["StackStatus"],
        "changed_at": changed_at,
        "packages": sorted(packages),
        "runtimes": runtimes,
        "closed": closed,
    }
    line = f"stack {stack['StackStatus']} since {changed_at:%Y-%m-%d %H:%M} UTC, {', '.join(runtimes)}"
    problems = []
    if len(packages) > 1:
        problems.append(f"functions run {len(packages)} different packages; deploy the stage again")
    if closed:
        command = stage.format_command("restore --open")
        problems.append(
            f"{len(closed)} functions are closed, as a restore that failed leaves them; {command}"
        )
    if not stack["StackStatus"].endswith("_COMPLETE") or "ROLLBACK" in stack["StackStatus"]:
        problems.append(f"the stack is {stack['StackStatus']}")
    return Section(figures, [line, *(f"package {each}" for each in sorted(packages))], problems)


def iter_functions(stage: Stage) -> Iterator[tuple[str, str]]:
    """Yield the logical id and the name of each function of a stage."""
    pages = stage.aws_client("cloudformation").get_paginator("list_stack_resources")
    for page in pages.paginate(StackName=stage.stack_name):
        for resource in page["StackResourceSummaries"]:
            if resource["ResourceType"] == "AWS::Lambda::Function":
                yield resource["LogicalResourceId"], resource["PhysicalResourceId"]


def _format_duration(duration: timedelta) -> str:
    return f"{duration // _HOUR} h" if duration >= _HOUR else f"{duration // _MINUTE} min"


def _describe_stack(stage: Stage) -> dict[str, Any]:
    stack: dict[str, Any] = stage.aws_client("cloudformation").describe_stacks(StackName=stage.stack_name)[
        "Stacks"
    ][0]
    return stack


_SECTIONS: Mapping[str, Callable[[Stage, datetime], Section]] = {
    "queues": _read_queues,
    "sms": _read_sms,
    "alarms": _read_alarms,
    "schedules": _read_schedules,
    "versions": _read_versions,
}
