"""Every function: it runs `app.py`, knows its stage, keeps its logs, and its failures are noticed."""

from chalicelib.settings import Settings
from tests.support.template import PackagedTemplate, resolve_logical_id

LONGEST_ANSWER_SECONDS = 28  # API Gateway hangs up after 29.
LONGEST_BATCH_SECONDS = 20  # A batch takes no further item well before that, and answers for what it took.
READ_BY_LIBRARIES = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "PYDANTIC_DISABLE_PLUGINS"}


def test_every_function_enters_through_app(template: PackagedTemplate) -> None:
    assert template.functions
    for name, function in template.functions.items():
        assert function["Handler"].startswith("app."), name


def test_every_function_is_told_every_setting_and_nothing_else(template: PackagedTemplate) -> None:
    told = template.document["Globals"]["Function"]["Environment"]["Variables"]
    read = {field.alias for field in Settings.model_fields.values()}
    assert set(told) == read | READ_BY_LIBRARIES
    for name, function in template.functions.items():
        assert "Environment" not in function, name


def test_functions_behind_the_api_give_up_before_api_gateway_does(template: PackagedTemplate) -> None:
    answering = {"APIHandler", "AuthorizeCaller"}
    assert answering == {name for name, each in template.functions.items() if "Events" not in each}
    for name in answering:
        assert template.functions[name]["Timeout"] <= LONGEST_ANSWER_SECONDS, name
    assert template.functions["APIHandler"]["Timeout"] > LONGEST_BATCH_SECONDS


def test_every_function_runs_on_the_processor_its_wheels_were_chosen_for(template: PackagedTemplate) -> None:
    for name, function in template.functions.items():
        assert function["Architectures"] == ["x86_64"], name


def test_every_functions_logs_are_its_own_and_are_kept_for_a_chosen_time(template: PackagedTemplate) -> None:
    groups = template.find_resources("AWS::Logs::LogGroup")
    used = [
        resolve_logical_id(function["LoggingConfig"]["LogGroup"]) for function in template.functions.values()
    ]
    assert sorted(used) == sorted(groups)
    for name, group in groups.items():
        assert template.resolve_defaults(group["RetentionInDays"]) == 365, name


def test_tracing_is_switched_by_stage_for_every_function_and_the_api(template: PackagedTemplate) -> None:
    for name, function in template.functions.items():
        assert function["Tracing"] == {"Ref": "Tracing"}, name
    assert "Tracing" in str(template.api["TracingEnabled"])


def test_a_failing_function_raises_an_alarm(template: PackagedTemplate) -> None:
    assert set(template.find_alarms("AWS/Lambda", "Errors", "FunctionName")) == set(template.functions)


def test_a_function_that_cannot_start_raises_an_alarm(template: PackagedTemplate) -> None:
    assert set(template.find_alarms("AWS/Lambda", "Throttles", "FunctionName")) == set(template.functions)
