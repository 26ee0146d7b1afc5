"""Answers that API Gateway makes itself, as the template declares them."""

from chalice.test import HTTPResponse

from infra.gateway_responses import make_gateway_responses


def make_gateway_answer(kind: str) -> HTTPResponse:
    """Return API Gateway's own answer of a kind, such as ACCESS_DENIED."""
    response = make_gateway_responses()[kind]
    headers = {name: value.strip("'") for name, value in response["ResponseParameters"]["Headers"].items()}
    body = response["ResponseTemplates"]["application/json"].replace("$context.requestId", "request-1")
    return HTTPResponse(body.encode(), headers, int(response["StatusCode"]))
