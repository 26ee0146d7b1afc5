"""Every function runs `app.py`, gets the settings, has its own log group, and raises alarms when it fails."""

from fnmatch import fnmatch

from chalicelib.settings import Settings
from infra.api_functions import API_FUNCTIONS
from tests.support.template import PackagedTemplate, resolve_logical_id

LONGEST_ANSWER_SECONDS = 28  # API Gateway hangs up after 29.
LONGEST_BATCH_SECONDS = 20  # A batch accepts no items after 18 seconds and answers for those it accepted.
READ_BY_LIBRARIES = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "PYDANTIC_DISABLE_PLUGINS"}


def test_every_handler_is_in_app(template: PackagedTemplate) -> None:
    assert template.functions
    for name, function in template.functions.items():
        assert function["Handler"].startswith("app."), name


def test_every_function_gets_every_setting_and_no_other_variable(template: PackagedTemplate) -> None:
    variables = template.document["Globals"]["Function"]["Environment"]["Variables"]
    settings = {each.variable for each in Settings.fields.values()}
    assert set(variables) == settings | READ_BY_LIBRARIES
    for name, function in template.functions.items():
        assert "Environment" not in function, name


def test_a_parameter_has_the_default_of_its_setting(template: PackagedTemplate) -> None:
    variables = template.document["Globals"]["Function"]["Environment"]["Variables"]
    defaults = {
        variable: str(template.document["Parameters"][value["Ref"]]["Default"])
        for variable, value in variables.items()
        if isinstance(value, dict) and value.get("Ref") in template.document["Parameters"]
    }
    required = {each.variable: "any" for each in Settings.fields.values() if each.is_required}
    assert len(defaults) > len(required)
    required |= {variable: value for variable, value in defaults.items() if variable in required}
    assert vars(Settings({**required, **defaults})) == vars(Settings(required))


def test_functions_behind_the_api_time_out_before_api_gateway(template: PackagedTemplate) -> None:
    answering = {*API_FUNCTIONS, "AuthorizeCaller"}
    assert answering == {name for name, each in template.functions.items() if "Events" not in each}
    for name in answering:
        assert template.functions[name]["Timeout"] <= LONGEST_ANSWER_SECONDS, name
    assert template.functions["APIHandler"]["Timeout"] > LONGEST_BATCH_SECONDS


def test_every_function_runs_on_the_python_and_the_processor_that_the_zip_is_made_for(
    template: PackagedTemplate,
) -> None:
    for name, function in template.functions.items():
        assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"]), name


def test_every_function_has_its_own_log_group_with_a_set_retention(template: PackagedTemplate) -> None:
    groups = template.find_resources("AWS::Logs::LogGroup")
    in_use = [
        resolve_logical_id(function["LoggingConfig"]["LogGroup"]) for function in template.functions.values()
    ]
    assert sorted([*in_use, "ApiAccessLogs"]) == sorted(groups)
    for name, group in groups.items():
        assert template.resolve_defaults(group["RetentionInDays"]) == 365, name


def test_every_log_group_is_encrypted_under_a_key_for_the_logs_of_this_stack(
    template: PackagedTemplate,
) -> None:
    groups = template.find_resources("AWS::Logs::LogGroup")
    (key,) = {resolve_logical_id(group["KmsKeyId"]) for group in groups.values()}
    (statement,) = [
        each
        for each in template.resources[key]["Properties"]["KeyPolicy"]["Statement"]
        if "Service" in each["Principal"]
    ]
    assert statement["Principal"]["Service"]["Fn::Sub"] == "logs.${AWS::Region}.amazonaws.com"
    patterns = [
        each["Fn::Sub"] for each in statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    ]
    for name, group in groups.items():
        wanted = group["LogGroupName"]["Fn::Sub"]
        assert any(
            fnmatch(wanted, each.partition(":log-group:")[2].replace("[", "[[]")) for each in patterns
        ), name


def test_tracing_is_switched_by_stage_for_every_function(template: PackagedTemplate) -> None:
    for name, function in template.functions.items():
        assert function["Tracing"] == {"Ref": "Tracing"}, name


def test_a_failing_function_raises_an_alarm(template: PackagedTemplate) -> None:
    watched = set(template.find_alarms("AWS/Lambda", "Errors", "FunctionName"))
    # An unknown token is an error of the authorizer, so the metric of its real errors is our own.
    assert watched == set(template.functions) - {"AuthorizeCaller"}


def test_a_function_that_cannot_start_raises_an_alarm(template: PackagedTemplate) -> None:
    assert set(template.find_alarms("AWS/Lambda", "Throttles", "FunctionName")) == set(template.functions)
