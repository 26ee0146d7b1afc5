"""The firewall stops what is no client's, and neither a batch nor a market behind one carrier's address."""

import json
from typing import Any

from infra.firewall import COUNTED, GUESSABLE_PATHS
from tests.support.public_routes import PUBLIC_ROUTES
from tests.support.template import PackagedTemplate, Properties, resolve_logical_id, to_json

# Five minutes of the busiest market: 200 registrations a second by all devices, of which one address may have
# all.
BUSIEST_RATE = 200
WINDOW_SECONDS = 300


def get_acl(template: PackagedTemplate) -> Properties:
    (acl,) = template.find_resources("AWS::WAFv2::WebACL").values()
    return acl


def get_rules(template: PackagedTemplate) -> dict[str, Any]:
    return {rule["Name"]: rule for rule in get_acl(template)["Rules"]}


def get_limit(template: PackagedTemplate, rule: str) -> int:
    limit: int = template.resolve_defaults(
        get_rules(template)[rule]["Statement"]["RateBasedStatement"]["Limit"]
    )
    return limit


def test_the_firewall_is_before_the_stage_of_the_api_and_on_by_default(template: PackagedTemplate) -> None:
    (association,) = template.find_resources("AWS::WAFv2::WebACLAssociation").values()
    assert resolve_logical_id(association["WebACLArn"]) in template.find_resources("AWS::WAFv2::WebACL")
    assert association["ResourceArn"]["Fn::Sub"].endswith("/restapis/${RestAPI}/stages/${RestAPI.Stage}")
    assert template.document["Parameters"]["Firewall"]["Default"] == "true"


def test_no_request_is_sampled(template: PackagedTemplate) -> None:
    # The console would show the paths of ODK Collect, with their tokens.
    acl = get_acl(template)
    for each in (acl, *acl["Rules"]):
        assert each["VisibilityConfig"]["SampledRequestsEnabled"] is False
    assert not template.find_resources("AWS::WAFv2::LoggingConfiguration")


def test_rules_have_priorities_of_their_own_and_limits_come_first(template: PackagedTemplate) -> None:
    rules = get_acl(template)["Rules"]
    assert [rule["Priority"] for rule in rules] == list(range(len(rules)))
    kinds = ["RateBasedStatement" in rule["Statement"] for rule in rules]
    assert kinds == sorted(kinds, reverse=True)


def test_a_client_above_a_limit_is_told_to_wait_as_the_api_tells_it(template: PackagedTemplate) -> None:
    acl = get_acl(template)
    bodies = {name: json.loads(each["Content"]) for name, each in acl["CustomResponseBodies"].items()}
    for name, rule in get_rules(template).items():
        if "RateBasedStatement" not in rule["Statement"]:
            continue
        response = rule["Action"]["Block"]["CustomResponse"]
        body = bodies[response["CustomResponseBodyKey"]]
        # A device takes 403 for the last word on a capture, and 429 for "later".
        assert (response["ResponseCode"], body["status"], body["code"]) == (429, 429, "too_many_requests"), (
            name
        )
        assert "Retry-After" in {each["Name"] for each in response["ResponseHeaders"]}, name


def test_one_token_cannot_take_what_the_stage_accepts_and_may_carry_half_of_a_busy_market(
    template: PackagedTemplate,
) -> None:
    stage = template.resolve_defaults(template.api["MethodSettings"][0]["ThrottlingRateLimit"])
    assert stage > BUSIEST_RATE
    one_token = get_limit(template, "OneToken") / WINDOW_SECONDS
    assert BUSIEST_RATE / 2 <= one_token < stage


def test_the_limit_of_a_token_counts_by_its_header_and_not_by_an_address(template: PackagedTemplate) -> None:
    statement = get_rules(template)["OneToken"]["Statement"]["RateBasedStatement"]
    assert (statement["AggregateKeyType"], [*statement["CustomKeys"][0]]) == ("CUSTOM_KEYS", ["Header"])
    assert "IP" not in to_json(statement)


def test_an_address_that_many_phones_share_is_not_stopped_before_its_routes_without_a_token_are_flooded(
    template: PackagedTemplate,
) -> None:
    # A device loads some sixty files of the web app: 200 devices of one market in five minutes.
    assert get_limit(template, "WithoutToken") >= 60 * 200
    for name, rule in get_rules(template).items():
        for each in rule["Statement"].get("ManagedRuleGroupStatement", {}).get("RuleActionOverrides", ()):
            assert each["ActionToUse"] == {"Count": {}}, name
    assert set(COUNTED["AWSManagedRulesAmazonIpReputationList"]) == {
        "AWSManagedIPReputationList",
        "AWSManagedReconnaissanceList",
        "AWSManagedIPDDoSList",
    }


def test_large_bodies_and_xml_pass(template: PackagedTemplate) -> None:
    assert {"SizeRestrictions_BODY", "CrossSiteScripting_BODY"} <= set(
        COUNTED["AWSManagedRulesCommonRuleSet"]
    )


def test_the_paths_that_are_limited_most_are_public_and_post(template: PackagedTemplate) -> None:
    assert {("POST", path) for path in GUESSABLE_PATHS} <= PUBLIC_ROUTES
    statement = get_rules(template)["GuessablePaths"]["Statement"]["RateBasedStatement"]["ScopeDownStatement"]
    searched = [each["ByteMatchStatement"]["SearchString"] for each in statement["OrStatement"]["Statements"]]
    assert tuple(searched) == GUESSABLE_PATHS
    assert get_limit(template, "GuessablePaths") < get_limit(template, "WithoutToken")
