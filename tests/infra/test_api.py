"""The API: throttled, encrypted, every route behind the authorizer, and every refusal a problem document."""

import json
import re
from collections.abc import Iterator

from chalicelib.http.headers import SECURITY_HEADERS
from chalicelib.http.problem_texts import PROBLEMS
from chalicelib.http.problems import CONTENT_TYPE
from chalicelib.randomness import generate_token
from tests.support.public_routes import PUBLIC_ROUTES
from tests.support.template import PackagedTemplate, Properties, resolve_logical_id

# The problem code of each answer that API Gateway makes itself.
CODE_BY_RESPONSE = {
    "UNAUTHORIZED": "token_missing_or_unknown",
    "ACCESS_DENIED": "role_not_allowed",
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
# Method and path, as the alarms on latency name them.
REGISTERING = ("POST", "/v1/registrations")
ALL_METHODS = (None, None)

CLIENTS_WAIT_SECONDS = 5  # For one registration.
BATCH_SECONDS = 10  # A usual duration of a batch of 200.

STATUS_BY_CODE = {
    "route_unknown": 404,
    "request_invalid": 400,
    "too_many_requests": 429,
    "request_refused": 403,
}


def iter_gateway_problems(
    template: PackagedTemplate,
) -> Iterator[tuple[str, dict[str, str], dict[str, object], str]]:
    """Yield the kind, headers, body and status of each answer that API Gateway makes itself."""
    for kind, response in template.api["GatewayResponses"].items():
        (body,) = response["ResponseTemplates"].values()
        yield kind, response["ResponseParameters"]["Headers"], json.loads(body), response["StatusCode"]


def iter_latency_alarms(
    template: PackagedTemplate,
) -> Iterator[tuple[tuple[str | None, str | None], Properties]]:
    """Yield method and path that each alarm on the latency watches, and the alarm."""
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
    assert unguarded == PUBLIC_ROUTES


def test_a_revocation_takes_effect_within_a_minute(
    template: PackagedTemplate,
) -> None:
    schemes = template.api["DefinitionBody"]["securityDefinitions"].values()
    cached = [each["x-amazon-apigateway-authorizer"]["authorizerResultTtlInSeconds"] for each in schemes]
    assert cached
    assert max(cached) <= 60


def test_api_gateway_writes_down_no_path_of_a_request(template: PackagedTemplate) -> None:
    # The paths of ODK Collect have a token in them. Metrics have the route.
    assert template.api["TracingEnabled"] is False
    # The route of a request is `$context.resourcePath`: /odk/{token}/formList.
    access_log = template.api["AccessLogSetting"]["Format"]
    written = set(re.findall(r"\$context\.([\w.]+)", access_log))
    assert written == {
        *("requestId", "requestTime", "httpMethod", "resourcePath", "status", "responseLatency"),
        *("responseLength", "authorizer.client_id", "authorizer.status", "error.responseType"),
        "wafResponseCode",
    }
    assert set(json.loads(access_log).values()) == {f"$context.{each}" for each in written}
    for each in template.api["MethodSettings"]:
        assert not {"LoggingLevel", "DataTraceEnabled"} & set(each), each["ResourcePath"]


def test_every_method_is_throttled(template: PackagedTemplate) -> None:
    settings = template.api["MethodSettings"]
    assert ("*", "/*") in {(each["HttpMethod"], each["ResourcePath"]) for each in settings}
    for each in settings:
        # A method with settings of its own inherits nothing.
        assert 1 <= template.resolve_defaults(each["ThrottlingRateLimit"]) <= 1000, each["ResourcePath"]
        assert 1 <= template.resolve_defaults(each["ThrottlingBurstLimit"]) <= 2000, each["ResourcePath"]


def test_a_broadcast_s_workers_may_ask_for_their_status_while_codes_are_hard_to_guess(
    template: PackagedTemplate,
) -> None:
    limits = {
        each["ResourcePath"]: template.resolve_defaults(each["ThrottlingRateLimit"])
        for each in template.api["MethodSettings"]
    }
    # One in five of those whom the busiest minute registers.
    assert limits["/~1v1~1statuses"] >= 200 / 5
    assert limits["/~1v1~1enrolments"] <= 5


def test_the_stage_accepts_more_than_the_busiest_market_sends(template: PackagedTemplate) -> None:
    for each in template.api["MethodSettings"]:
        if each["ResourcePath"] in {"/*", "/~1v1~1registrations"}:
            assert template.resolve_defaults(each["ThrottlingRateLimit"]) > 200, each["ResourcePath"]


def test_a_domain_of_our_own_is_an_option_with_its_certificate(template: PackagedTemplate) -> None:
    (domain,) = template.find_resources("AWS::ApiGateway::DomainName").values()
    (mapping,) = template.find_resources("AWS::ApiGateway::BasePathMapping").values()
    assert (domain["DomainName"], domain["RegionalCertificateArn"]) == (
        {"Ref": "DomainName"},
        {"Ref": "DomainCertificate"},
    )
    assert (mapping["RestApiId"], mapping["Stage"]) == ({"Ref": "RestAPI"}, {"Ref": "RestAPI.Stage"})
    for name in ("Domain", "DomainMapping"):
        assert template.resources[name]["Condition"] == "DomainIsGiven"


def test_no_second_stage_without_throttling_is_created(template: PackagedTemplate) -> None:
    # Without a version SAM adds one called "Stage".
    declared = template.document["Globals"]["Api"]["OpenApiVersion"]
    assert declared == template.api["DefinitionBody"]["swagger"]


def test_the_api_is_regional_and_requires_tls_1_2(template: PackagedTemplate) -> None:
    assert template.api["EndpointConfiguration"] == "REGIONAL"
    assert template.api["SecurityPolicy"].startswith("SecurityPolicy_TLS13_1_2_")


def test_every_answer_of_api_gateway_has_a_problem_code(template: PackagedTemplate) -> None:
    assert {kind: body["code"] for kind, _, body, _ in iter_gateway_problems(template)} == CODE_BY_RESPONSE


def test_answers_of_api_gateway_are_problem_details(template: PackagedTemplate) -> None:
    for kind, headers, body, status in iter_gateway_problems(template):
        assert headers["Content-Type"] == f"'{CONTENT_TYPE}'", kind
        assert set(body) == {"type", "code", "title", "status", "request_id"}, kind
        assert str(body["status"]) == status, kind


def test_a_code_has_the_same_status_and_title_from_api_gateway_and_the_api(
    template: PackagedTemplate,
) -> None:
    for kind, _, body, _ in iter_gateway_problems(template):
        code = str(body["code"])
        if code in PROBLEMS:
            problem = PROBLEMS[code]
            title = f"{problem.indonesian} / {problem.english}"
            assert (body["status"], body["title"]) == (problem.status, title), kind
        else:
            assert body["status"] == STATUS_BY_CODE[code], kind


def test_exactly_the_retryable_answers_have_retry_after(template: PackagedTemplate) -> None:
    for kind, headers, body, _ in iter_gateway_problems(template):
        assert ("Retry-After" in headers) == (body["status"] in {429, 503}), kind


def test_answers_of_api_gateway_have_the_security_headers_of_all_answers(template: PackagedTemplate) -> None:
    for kind, headers, _, _ in iter_gateway_problems(template):
        missing = {name for name, value in SECURITY_HEADERS.items() if headers.get(name) != f"'{value}'"}
        assert not missing, kind


def test_header_values_of_api_gateway_hold_no_single_quote(template: PackagedTemplate) -> None:
    for kind, headers, _, _ in iter_gateway_problems(template):
        assert all("'" not in value[1:-1] for value in headers.values()), kind


def test_api_gateway_passes_every_generated_token_to_the_authorizer_and_nothing_malformed(
    template: PackagedTemplate,
) -> None:
    (scheme,) = template.api["DefinitionBody"]["securityDefinitions"].values()
    pattern = scheme["x-amazon-apigateway-authorizer"]["identityValidationExpression"]
    for _ in range(50):
        token = generate_token()
        assert all(re.search(pattern, f"{scheme} {token}") for scheme in ("Bearer", "bearer", "BEARER")), (
            token
        )
        malformed = (
            token,
            f"Basic {token}",
            f"Bearer {token}x",
            f"Bearer {token[:-1]}",
            "Bearer ",
            f"x Bearer {token}",
        )
        assert not [each for each in malformed if re.search(pattern, each)]


def test_every_401_names_the_bearer_scheme(template: PackagedTemplate) -> None:
    for kind, headers, body, _ in iter_gateway_problems(template):
        assert headers.get("WWW-Authenticate", "").startswith("'Bearer") == (body["status"] == 401), kind


def test_answers_of_api_gateway_are_part_of_the_deployed_definition(template: PackagedTemplate) -> None:
    # Separate resources could be created after the first deployment, and an update of the definition would
    # remove them.
    assert not template.find_resources("AWS::ApiGateway::GatewayResponse")


def test_a_failing_or_slow_api_raises_an_alarm(template: PackagedTemplate) -> None:
    for metric in ("5XXError", "Latency"):
        assert set(template.find_alarms("AWS/ApiGateway", metric, "Stage")) == {"RestAPI"}, metric


def test_a_slow_registration_raises_an_alarm_and_a_usual_batch_does_not(
    template: PackagedTemplate,
) -> None:
    thresholds = {resource: alarm["Threshold"] / 1000 for resource, alarm in iter_latency_alarms(template)}
    assert set(thresholds) == {REGISTERING, ALL_METHODS}
    assert thresholds[REGISTERING] <= CLIENTS_WAIT_SECONDS
    assert BATCH_SECONDS < thresholds[ALL_METHODS] < template.functions["APIHandler"]["Timeout"]


def test_a_method_with_its_own_latency_alarm_has_its_own_metrics(
    template: PackagedTemplate,
) -> None:
    watched = {resource for resource, _ in iter_latency_alarms(template)} - {ALL_METHODS}
    measured = {
        (each["HttpMethod"], each["ResourcePath"].replace("~1", "/").removeprefix("/"))
        for each in template.api["MethodSettings"]
        if each.get("MetricsEnabled")
    }
    assert watched == measured
    for method, path in watched:
        assert method is not None
        assert method.lower() in template.api["DefinitionBody"]["paths"][path], path


def test_the_metrics_of_two_stages_have_different_names(template: PackagedTemplate) -> None:
    name = template.api["DefinitionBody"]["info"]["title"]
    assert resolve_logical_id(name) == "AWS::StackName"
    assert {"AWS::StackName"} == set(template.find_alarms("AWS/ApiGateway", "5XXError", "ApiName"))
