"""Quotes over HTTP."""

from tests.edge.conftest import Edge, assert_problem

QUOTE_REQUEST = {
    "monthly_income": 2_500_000,
    "occupations": ["porter"],
    "employs_others": False,
    "programmes": ["JKK", "JKM"],
    "months": 2,
    "payer": "self",
    "start_month": "2026-12",
}
ROLES = ["kiosk", "bot", "manager", "core", "admin"]


def test_a_quote_lists_each_month_and_is_the_same_for_every_role(edge: Edge) -> None:
    responses = [edge.send("POST", "/v1/quotes", QUOTE_REQUEST, caller=role) for role in ROLES]

    assert {(response.status_code, response.body) for response in responses} == {(200, responses[0].body)}
    quote = responses[0].json_body
    assert quote["total"] == 49_200
    assert quote["months"][0] == {
        "month": "2026-12",
        "amount": 16_400,
        "lines": [
            {"programme": "JKK", "amount": 13_000, "table": "pp-44-2015", "policy": "pp-50-2025-others"},
            {"programme": "JKM", "amount": 3_400, "table": "pp-44-2015", "policy": "pp-50-2025-others"},
        ],
    }


def test_a_quote_request_that_breaks_a_rule_is_refused_with_a_message(edge: Edge) -> None:
    response = edge.send("POST", "/v1/quotes", QUOTE_REQUEST | {"employs_others": True}, Accept_Language="en")

    assert assert_problem(response, 422, "rules_broken")["errors"] == [
        {
            "field": "programmes",
            "code": "jht_required",
            "message": "A worker who employs others must also take JHT.",
        }
    ]


def test_a_quote_request_with_an_invalid_value_is_refused(edge: Edge) -> None:
    response = edge.send("POST", "/v1/quotes", QUOTE_REQUEST | {"months": 4})
    assert_problem(response, 422, "body_invalid")
