"""The web application firewall before the API: AWS's groups of rules, and limits that API Gateway cannot set.

Devices of one market, and of many, reach the API from the few addresses of a mobile carrier: what is known of
an address is counted and blocks nobody, and its limits are far above those of a token. No request is sampled
or logged, because paths of ODK Collect hold a token.
"""

import json
from collections.abc import Sequence
from typing import Any

from infra.gateway_responses import make_problem

# What is counted and not blocked in each group, and why.
COUNTED = {
    "AWSManagedRulesCommonRuleSet": {
        "SizeRestrictions_BODY": "a batch has 200 captures, and the API has its own limit",
        "CrossSiteScripting_BODY": "the form of ODK Collect is XML",
        "GenericRFI_BODY": "the namespaces of that form are URLs",
        "NoUserAgent_HEADER": "programs of integrators may have none",
    },
    "AWSManagedRulesKnownBadInputsRuleSet": {},
    "AWSManagedRulesAmazonIpReputationList": {
        "AWSManagedIPReputationList": "a carrier's address is shared by thousands",
        "AWSManagedReconnaissanceList": "a carrier's address is shared by thousands",
        "AWSManagedIPDDoSList": "a carrier's address is shared by thousands",
    },
}

# Anybody may call these, and could guess codes, or phone numbers for references.
GUESSABLE_PATHS = ("/v1/statuses", "/v1/enrolments")

_AUTHORIZATION = {"SingleHeader": {"Name": "authorization"}}
_AS_IT_IS = [{"Priority": 0, "Type": "NONE"}]
_HAS_TOKEN = {
    "SizeConstraintStatement": {
        "FieldToMatch": _AUTHORIZATION,
        "ComparisonOperator": "GT",
        "Size": 0,
        "TextTransformations": _AS_IT_IS,
    }
}


def make_firewall() -> dict[str, Any]:
    """Return the firewall and its association with the API's stage."""
    rules = [
        _limit("GuessablePaths", "GuessRateLimit", _AN_ADDRESS, _make_path_statement(GUESSABLE_PATHS)),
        _limit("WithoutToken", "PublicRateLimit", _AN_ADDRESS, {"NotStatement": {"Statement": _HAS_TOKEN}}),
        _limit("OneToken", "ClientRateLimit", _A_TOKEN, _HAS_TOKEN),
        *(_apply_group(name, counted) for name, counted in COUNTED.items()),
    ]
    properties = {
        "Scope": "REGIONAL",
        "DefaultAction": {"Allow": {}},
        "VisibilityConfig": _make_visibility("Firewall"),
        "CustomResponseBodies": {"TooMany": {"ContentType": "APPLICATION_JSON", "Content": _TOO_MANY}},
        "Rules": [{**rule, "Priority": number} for number, rule in enumerate(rules)],
    }
    stage = "arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${RestAPI}/stages/${RestAPI.Stage}"
    return {
        "WebACL": {"Type": "AWS::WAFv2::WebACL", "Condition": "FirewallIsOn", "Properties": properties},
        "WebACLOfTheAPI": {
            "Type": "AWS::WAFv2::WebACLAssociation",
            "Condition": "FirewallIsOn",
            "Properties": {
                "ResourceArn": {"Fn::Sub": stage},
                "WebACLArn": {"Fn::GetAtt": ["WebACL", "Arn"]},
            },
        },
    }


_TOO_MANY = json.dumps(make_problem("too_many_requests", request_id=None))
_AN_ADDRESS = {"AggregateKeyType": "IP"}
_A_TOKEN = {
    "AggregateKeyType": "CUSTOM_KEYS",
    "CustomKeys": [{"Header": {"Name": "authorization", "TextTransformations": _AS_IT_IS}}],
}


def _make_visibility(name: str) -> dict[str, Any]:
    return {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": True, "MetricName": name}


def _make_path_statement(paths: Sequence[str]) -> dict[str, Any]:
    # The end of the path, because the stage's name is before it, unless the request is for a domain of ours.
    return {
        "OrStatement": {
            "Statements": [
                {
                    "ByteMatchStatement": {
                        "FieldToMatch": {"UriPath": {}},
                        "PositionalConstraint": "ENDS_WITH",
                        "SearchString": path,
                        "TextTransformations": [{"Priority": 0, "Type": "NORMALIZE_PATH"}],
                    }
                }
                for path in paths
            ]
        }
    }


def _limit(name: str, parameter: str, aggregation: dict[str, Any], scope: dict[str, Any]) -> dict[str, Any]:
    """Return a rule that answers 429 above so many requests in five minutes. Clients then wait and repeat."""
    statement = {
        **aggregation,
        "Limit": {"Ref": parameter},
        "EvaluationWindowSec": 300,
        "ScopeDownStatement": scope,
    }
    response = {
        "ResponseCode": 429,
        "CustomResponseBodyKey": "TooMany",
        "ResponseHeaders": [{"Name": "Retry-After", "Value": "60"}],
    }
    return {
        "Name": name,
        "Statement": {"RateBasedStatement": statement},
        "Action": {"Block": {"CustomResponse": response}},
        "VisibilityConfig": _make_visibility(name),
    }


def _apply_group(name: str, counted: dict[str, str]) -> dict[str, Any]:
    group = {
        "VendorName": "AWS",
        "Name": name,
        "RuleActionOverrides": [{"Name": rule, "ActionToUse": {"Count": {}}} for rule in counted],
    }
    return {
        "Name": name,
        "Statement": {"ManagedRuleGroupStatement": group},
        "OverrideAction": {"None": {}},
        "VisibilityConfig": _make_visibility(name),
    }
