"""The API: throttled, encrypted, every route behind the authorizer, and every refusal a problem document."""

import json
from collections.abc import Iterator

from chalicelib.http.problems import CONTENT_TYPE, PROBLEMS
from tests.support.template import PackagedTemplate, Properties, resolve_logical_id

# Routes that anybody may call; Twilio's callback proves by a signature who calls. Anything else without an
# authorizer is a mistake.
PUBLIC = {
    ("GET", "/v1/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/healthz"),
    ("GET", "/board"),
    ("POST", "/v1/gateways/twilio/receipts"),
}

# What API Gateway says on its own, in codes of ours. A code that chalicelib/problems.py has too means the
# same there.
CODES = {
    "UNAUTHORIZED": "token_missing_or_unknown",
    "ACCESS_DENIED": "token_revoked",
    "MISSING_AUTHENTICATION_TOKEN": "route_unknown",
    "RESOURCE_NOT_FOUND": "route_unknown",
    "INVALID_SIGNATURE": "route_unknown",
    "EXPIRED_TOKEN": "route_unknown",
    "DEFAULT_4XX": "route_unknown",
    "BAD_REQUEST_BODY": "request_invalid",
    "BAD_REQUEST_PARAMETERS": "request_invalid",
    "REQUEST_TOO_LARGE": "body_too_large",
    "UNSUPPORTED_MEDIA_TYPE": "media_type_unsupported",
    "THROTTLED": "too_many_requests",
    "QUOTA_EXCEEDED": "too_many_requests",
    "WAF_FILTERED": "request_refused",
    "AUTHORIZER_FAILURE": "try_again",
    "AUTHORIZER_CONFIGURATION_ERROR": "try_again",
    "API_CONFIGURATION_ERROR": "try_again",
    "INTEGRATION_FAILURE": "try_again",
    "INTEGRATION_TIMEOUT": "try_again",
    "DEFAULT_5XX": "try_again",
}
# Methods and paths, as the alarms on latency tell them apart.
REGISTERING = ("POST", "/v1/registrations")
ANY = (None, None)

CLIENTS_WAIT_SECONDS = 5  # For one registration; see the clients' timeouts in chalicelib/aws/clients.py.
BATCH_SECONDS = 10  # What a batch of 200 may take on a day when nothing is wrong.

STATUSES = {"route_unknown": 404, "request_invalid": 400, "too_many_requests": 429, "request_refused": 403}


def problems(template: PackagedTemplate) -> Iterator[tuple[str, dict[str, str], dict[str, object], str]]:
    """The kind, headers, body and status of each of API Gateway's own answers."""
    for kind, response in template.api["GatewayResponses"].items():
        (body,) = response["ResponseTemplates"].values()
        yield kind, response["ResponseParameters"]["Headers"], json.loads(body), response["StatusCode"]


def latency_alarms(template: PackagedTemplate) -> Iterator[tuple[tuple[str | None, str | None], Properties]]:
    """What each alarm on the latency watches, and the alarm."""
    for alarm in template.find_resources("AWS::CloudWatch::Alarm").values():
        if alarm["MetricName"] == "Latency":
            assert alarm["ExtendedStatistic"] == "p99"
            dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
            yield (dimensions.get("Method"), dimensions.get("Resource")), alarm


def test_every_route_but_the_public_ones_is_behind_the_authorizer(template: PackagedTemplate) -> None:
    definition = template.api["DefinitionBody"]
    unguarded = {
        (method.upper(), path)
        for path, methods in definition["paths"].items()
        for method, operation in methods.items()
        if operation.get("security") != [{"authorize_caller": []}]
    }
    assert unguarded == PUBLIC


def test_the_authorizer_asks_again_within_a_minute_so_that_a_revocation_counts(
    template: PackagedTemplate,
) -> None:
    schemes = template.api["DefinitionBody"]["securityDefinitions"].values()
    kept = [each["x-amazon-apigateway-authorizer"]["authorizerResultTtlInSeconds"] for each in schemes]
    assert kept
    assert max(kept) <= 60


def test_every_method_is_throttled(template: PackagedTemplate) -> None:
    settings = template.api["MethodSettings"]
    assert ("*", "/*") in {(each["HttpMethod"], each["ResourcePath"]) for each in settings}
    for each in settings:
        # A method with settings of its own takes nothing over from those for all.
        assert 1 <= template.resolve_defaults(each["ThrottlingRateLimit"]) <= 1000, each["ResourcePath"]
        assert 1 <= template.resolve_defaults(each["ThrottlingBurstLimit"]) <= 2000, each["ResourcePath"]


def test_there_is_no_second_stage_that_nothing_throttles(template: PackagedTemplate) -> None:
    # Without a version SAM makes one called "Stage".
    declared = template.document["Globals"]["Api"]["OpenApiVersion"]
    assert declared == template.api["DefinitionBody"]["swagger"]


def test_the_api_stays_in_its_region_and_speaks_tls_1_2_at_least(template: PackagedTemplate) -> None:
    assert template.api["EndpointConfiguration"] == "REGIONAL"
    assert template.api["SecurityPolicy"].startswith("SecurityPolicy_TLS13_1_2_")


def test_everything_api_gateway_says_has_a_code_of_ours(template: PackagedTemplate) -> None:
    assert {kind: body["code"] for kind, _, body, _ in problems(template)} == CODES


def test_what_api_gateway_says_has_the_shape_of_every_other_problem(template: PackagedTemplate) -> None:
    for kind, headers, body, status in problems(template):
        assert headers["Content-Type"] == f"'{CONTENT_TYPE}'", kind
        assert set(body) == {"type", "code", "title", "status", "request_id"}, kind
        assert str(body["status"]) == status, kind


def test_a_code_means_the_same_whoever_says_it(template: PackagedTemplate) -> None:
    for kind, _, body, _ in problems(template):
        code = str(body["code"])
        if code in PROBLEMS:
            known = PROBLEMS[code]
            assert (body["status"], body["title"]) == (
                known.status,
                f"{known.indonesian} / {known.english}",
            ), kind
        else:
            assert body["status"] == STATUSES[code], kind


def test_a_caller_that_may_come_back_is_told_when(template: PackagedTemplate) -> None:
    for kind, headers, body, _ in problems(template):
        assert ("Retry-After" in headers) == (body["status"] in {429, 503}), kind


def test_a_caller_without_a_good_token_is_told_which_kind_is_wanted(template: PackagedTemplate) -> None:
    for kind, headers, body, _ in problems(template):
        assert headers.get("WWW-Authenticate", "").startswith("'Bearer") == (body["status"] == 401), kind


def test_api_gateways_answers_are_part_of_the_definition_that_is_deployed(template: PackagedTemplate) -> None:
    # As resources of their own they might come after the first deployment, and an update of the definition
    # would drop them.
    assert not template.find_resources("AWS::ApiGateway::GatewayResponse")


def test_a_failing_or_slow_api_raises_an_alarm(template: PackagedTemplate) -> None:
    for metric in ("5XXError", "Latency"):
        assert set(template.find_alarms("AWS/ApiGateway", metric, "Stage")) == {"RestAPI"}, metric


def test_a_slow_registration_raises_an_alarm_and_a_batch_that_takes_its_time_does_not(
    template: PackagedTemplate,
) -> None:
    thresholds = {resource: alarm["Threshold"] / 1000 for resource, alarm in latency_alarms(template)}
    assert set(thresholds) == {REGISTERING, ANY}
    assert thresholds[REGISTERING] <= CLIENTS_WAIT_SECONDS
    assert BATCH_SECONDS < thresholds[ANY] < template.functions["APIHandler"]["Timeout"]


def test_a_method_whose_latency_is_watched_apart_is_there_and_measured_apart(
    template: PackagedTemplate,
) -> None:
    watched = {resource for resource, _ in latency_alarms(template)} - {ANY}
    measured = {
        (each["HttpMethod"], each["ResourcePath"].replace("~1", "/").removeprefix("/"))
        for each in template.api["MethodSettings"]
        if each.get("MetricsEnabled")
    }
    assert watched == measured
    for method, path in watched:
        assert method.lower() in template.api["DefinitionBody"]["paths"][path], path


def test_the_apis_metrics_are_told_apart_from_those_of_another_stage(template: PackagedTemplate) -> None:
    name = template.api["DefinitionBody"]["info"]["title"]
    assert resolve_logical_id(name) == "AWS::StackName"
    assert {"AWS::StackName"} == set(template.find_alarms("AWS/ApiGateway", "5XXError", "ApiName"))
