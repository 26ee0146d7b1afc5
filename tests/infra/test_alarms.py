"""Alarms are published and say what to do; the dashboard shows what the functions measure."""

import json
import re
from pathlib import Path

from tests.support.template import PackagedTemplate, Properties, resolve_logical_id

PACKAGE = Path(__file__).parents[2] / "chalicelib"
PSEUDO_PARAMETER = "AWS::"
OWN_NAMESPACE = "Daftar"
LONGEST_DESCRIPTION = 1024  # CloudWatch accepts no more.


def read_sources() -> str:
    """Return the source of `chalicelib`."""
    return "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))


def list_topics(alarm: Properties, actions: str) -> list[str]:
    return [resolve_logical_id(each) for each in alarm.get(actions, [])]


def list_all_alarms(template: PackagedTemplate) -> dict[str, Properties]:
    kinds = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    return {name: each for kind in kinds for name, each in template.find_resources(kind).items()}


def list_members(template: PackagedTemplate) -> set[str]:
    rules = [
        each["AlarmRule"] for each in template.find_resources("AWS::CloudWatch::CompositeAlarm").values()
    ]
    return {
        name for rule in rules for name in re.findall(r"\w+", rule["Fn::Sub"].partition(" AND NOT ")[0])
    } - {
        "ALARM",
        "OR",
    }


def test_every_alarm_reaches_one_topic_or_is_a_member_of_a_composite_that_does(
    template: PackagedTemplate,
) -> None:
    members = list_members(template)
    for name, alarm in list_all_alarms(template).items():
        fired = list_topics(alarm, "AlarmActions") or list_topics(alarm, "InsufficientDataActions")
        assert list_topics(alarm, "InsufficientDataActions") in ([], fired), name
        assert fired == list_topics(alarm, "OKActions"), name
        if name in members:
            assert fired == [], name
        else:
            assert fired in (["AlarmTopic"], ["TicketTopic"]), name
        assert alarm.get("ActionsEnabled", True) is True, name


def test_few_alarms_wake_somebody(template: PackagedTemplate) -> None:
    waking = [
        name
        for name, each in list_all_alarms(template).items()
        if "AlarmTopic" in list_topics(each, "AlarmActions")
    ]
    assert sorted(waking) == [
        *("APIUnwell", "FunctionsThrottled", "RegistrationsTableFailing", "RelayBehind", "SendingStopped"),
        *("SmsLate", "StreamFailuresNotEmpty", "UnusualClient"),
    ]


def test_a_composite_names_only_alarms_of_this_stack(template: PackagedTemplate) -> None:
    alarms = template.find_resources("AWS::CloudWatch::Alarm")
    for name, each in template.find_resources("AWS::CloudWatch::CompositeAlarm").items():
        named = re.findall(r'ALARM\("\$\{(\w+)\}"\)', each["AlarmRule"]["Fn::Sub"])
        assert len(named) > 1, name
        # CloudWatch takes a hundred, and 10,240 characters: a name has some 80.
        assert len(named) <= 100, name
        assert set(named) <= set(alarms), name


def test_no_alarm_rings_on_a_stage_that_has_done_nothing_yet(template: PackagedTemplate) -> None:
    for name, alarm in template.find_resources("AWS::CloudWatch::Alarm").items():
        # A metric without data leaves the alarm in its first state or good, and only a change of state is
        # published.
        assert alarm["TreatMissingData"] in {"missing", "notBreaching"}, name


def test_an_alarm_on_what_does_not_happen_fires_when_its_data_ends(template: PackagedTemplate) -> None:
    for name, alarm in template.find_resources("AWS::CloudWatch::Alarm").items():
        is_on_absence = alarm["ComparisonOperator"] == "LessThanThreshold"
        assert (alarm["TreatMissingData"] == "missing") == is_on_absence, name
        assert bool(list_topics(alarm, "InsufficientDataActions")) == is_on_absence, name


def test_tickets_are_mailed_to_whoever_is_woken_if_nobody_else_is_named(template: PackagedTemplate) -> None:
    [subscription] = [
        each
        for each in template.find_resources("AWS::SNS::Subscription").values()
        if each["TopicArn"] == {"Ref": "TicketTopic"}
    ]
    assert subscription["Endpoint"] == {
        "Fn::If": ["TicketEmailIsGiven", {"Ref": "TicketEmail"}, {"Ref": "AlarmEmail"}]
    }


def test_every_alarm_says_what_it_means_and_what_to_do(template: PackagedTemplate) -> None:
    for name, alarm in template.find_resources("AWS::CloudWatch::Alarm").items():
        sentences = re.findall(r"[A-Z][^.]+\.", alarm["AlarmDescription"])
        assert len(sentences) >= 2, name
        assert len(alarm["AlarmDescription"]) <= LONGEST_DESCRIPTION, name


def test_every_alarm_watches_a_resource_of_this_stack(template: PackagedTemplate) -> None:
    for name, alarm in template.find_resources("AWS::CloudWatch::Alarm").items():
        if alarm["Namespace"] == OWN_NAMESPACE:
            continue  # Metrics of our own have no dimension for a resource.
        watched = {
            resolve_logical_id(each["Value"])
            for each in alarm["Dimensions"]
            if isinstance(each["Value"], dict)
        }
        assert watched, name
        assert all(each in template.resources or each.startswith(PSEUDO_PARAMETER) for each in watched), name


def test_every_topic_is_encrypted_under_a_key_that_its_publisher_may_use(template: PackagedTemplate) -> None:
    publishers = {
        "AlarmTopic": {"cloudwatch.amazonaws.com"},
        "TicketTopic": {"cloudwatch.amazonaws.com"},
        "ReceiptsTopic": {"sms-voice.amazonaws.com", "ses.amazonaws.com"},
    }
    assert set(template.find_resources("AWS::SNS::Topic")) == set(publishers)
    for name, topic in template.find_resources("AWS::SNS::Topic").items():
        policy = template.resources[resolve_logical_id(topic["KmsMasterKeyId"])]["Properties"]["KeyPolicy"]
        users = {statement["Principal"].get("Service") for statement in policy["Statement"]}
        assert publishers[name] <= users, name
    policies = template.find_resources("AWS::SNS::TopicPolicy").values()
    allowed = {
        resolve_logical_id(policy["Topics"][0]): {
            statement["Principal"]["Service"]
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Allow"
        }
        for policy in policies
    }
    assert allowed == publishers


def test_these_metrics_of_our_own_raise_alarms(template: PackagedTemplate) -> None:
    watched = {
        (alarm["MetricName"], *(each["Value"] for each in alarm.get("Dimensions", [])))
        for alarm in template.find_resources("AWS::CloudWatch::Alarm").values()
        if alarm["Namespace"] == OWN_NAMESPACE
    }
    assert watched == {
        ("AuthorizerErrors",),
        ("InternalErrors",),
        ("SmsExpired",),
        ("SmsContentRefused",),
        ("SmsHeld",),
        ("SendingStopped",),
        ("GatewayCircuitsOpened",),
        ("ReportsNotDelivered",),
        ("ExportsLate",),
        ("AgeingCut",),
        ("TryAgainAnswers",),
        ("UnreadableRecords",),
        ("UnusualClients",),
    }


def test_the_dashboard_shows_our_own_metrics(
    template: PackagedTemplate,
) -> None:
    (dashboard,) = template.find_resources("AWS::CloudWatch::Dashboard").values()
    widgets = json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]
    metrics = [metric for widget in widgets for metric in widget["properties"]["metrics"]]
    searches = [first["expression"] for first, *_ in metrics if isinstance(first, dict)]
    variables = template.document["Globals"]["Function"]["Environment"]["Variables"]
    for metric in ("Registrations", "Sms", "Receipts", "RollUpLag", "RegistrationsAged", "Reports"):
        wanted = f'Namespace="{variables["POWERTOOLS_METRICS_NAMESPACE"]}" MetricName="{metric}"'
        assert any(wanted in search for search in searches), metric


def test_our_own_metrics_are_counted_by_the_functions(template: PackagedTemplate) -> None:
    (dashboard,) = template.find_resources("AWS::CloudWatch::Dashboard").values()
    names = set(re.findall(r'MetricName=\\"(\w+)', dashboard["DashboardBody"]["Fn::Sub"]))
    alarms = template.find_resources("AWS::CloudWatch::Alarm").values()
    names |= {alarm["MetricName"] for alarm in alarms if alarm["Namespace"] == OWN_NAMESPACE}
    assert len(names) > 5
    assert names <= set(re.findall(r'\b(?:observability\.\w+|count)\(\s*"(\w+)"', read_sources()))


def test_log_messages_that_an_alarm_names_are_in_the_code(template: PackagedTemplate) -> None:
    alarms = template.find_resources("AWS::CloudWatch::Alarm").values()
    quoted = {
        each for alarm in alarms for each in re.findall("`([a-z ]+ [a-z ]+)`", alarm["AlarmDescription"])
    }
    messages = {each for each in quoted if not each.startswith("daftar ")}
    assert len(messages) > 5
    assert [each for each in sorted(messages) if f'"{each}"' not in read_sources()] == []


def test_the_dashboard_names_only_resources_of_this_stack(template: PackagedTemplate) -> None:
    (dashboard,) = template.find_resources("AWS::CloudWatch::Dashboard").values()
    named_there = set(re.findall(r"\$\{([\w:]+)", dashboard["DashboardBody"]["Fn::Sub"]))
    assert named_there
    assert all(each in template.resources or each.startswith(PSEUDO_PARAMETER) for each in named_there)


def test_the_dashboard_shows_every_function_and_every_dead_letter_queue(template: PackagedTemplate) -> None:
    (dashboard,) = template.find_resources("AWS::CloudWatch::Dashboard").values()
    widgets = json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]
    rows = [metric for widget in widgets for metric in widget["properties"]["metrics"]]
    shown = {(row[1], row[3]) for row in rows if len(row) > 1}
    for metric in ("Errors", "Throttles", "Duration", "ConcurrentExecutions"):
        missing = {name for name in template.functions if (metric, f"${{{name}}}") not in shown}
        assert not missing, metric
    for queue in template.find_dead_letter_queues():
        assert ("ApproximateNumberOfMessagesVisible", f"${{{queue}.QueueName}}") in shown, queue


def test_the_widgets_of_the_dashboard_do_not_overlap(template: PackagedTemplate) -> None:
    (dashboard,) = template.find_resources("AWS::CloudWatch::Dashboard").values()
    cells = [
        (widget["x"] + x, widget["y"] + y)
        for widget in json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]
        for x in range(widget["width"])
        for y in range(widget["height"])
    ]
    assert len(cells) == len(set(cells))
