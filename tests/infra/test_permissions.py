"""Each function has its own role, with exactly the actions and resources that it needs."""

from collections import Counter
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest

from chalicelib.crypto.keyring import FIELD_PURPOSE, HASH_PURPOSE, RESCUE_PURPOSE
from infra.api_functions import API_FUNCTIONS
from tests.infra.expected_grants import (
    ACTIONS_BY_PATTERN,
    ACTIONS_WITHOUT_RESOURCE,
    GRANTS_BY_FUNCTION,
    SERVICE_BY_ROLE,
    TRACE_GRANTS,
)
from tests.support.template import Grant, PackagedTemplate, as_list, split_condition

KEYS = "dynamodb:LeadingKeys"
# What is counted of a client, and where and when its token was used.
USES_OF_CLIENTS = {
    *("pk", "sk", "attempts", "capped", "captures", "expires_at", "known", "refused"),
    *("last_seen_at", "token_use", "capture_id", "code_hash"),
}


def test_every_function_has_its_list_of_grants(template: PackagedTemplate) -> None:
    assert set(GRANTS_BY_FUNCTION) == set(template.functions)


@pytest.mark.parametrize("function", GRANTS_BY_FUNCTION)
def test_a_function_may_do_exactly_what_it_needs(template: PackagedTemplate, function: str) -> None:
    log = f"{function}Logs.Arn"
    own = {Grant("logs:CreateLogStream", log), Grant("logs:PutLogEvents", log)}
    assert (
        set(template.iter_grants(template.find_role(function)))
        == GRANTS_BY_FUNCTION[function] | own | TRACE_GRANTS
    )


def test_the_authorizer_may_write_only_the_time_a_client_was_last_seen(
    template: PackagedTemplate,
) -> None:
    (policy,) = template.resources[template.find_role("AuthorizeCaller")]["Properties"]["Policies"]
    (writing,) = (
        each for each in policy["PolicyDocument"]["Statement"] if each["Action"] == "dynamodb:UpdateItem"
    )
    assert writing["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "sk", "last_seen_at"]}
    }


def iter_statements(template: PackagedTemplate, function: str) -> Iterator[Mapping[str, Any]]:
    (policy,) = template.resources[template.find_role(function)]["Properties"]["Policies"]
    yield from (split_condition(each)[0] for each in policy["PolicyDocument"]["Statement"])


def test_functions_behind_the_api_reach_only_opt_outs_and_budgets_of_the_sending_table(
    template: PackagedTemplate,
) -> None:
    reached = {
        (function, statement["Action"]): statement["Condition"]["ForAllValues:StringLike"][KEYS]
        for function in API_FUNCTIONS
        for statement in iter_statements(template, function)
        if statement["Resource"] == {"Fn::GetAtt": ["SendingTable", "Arn"]}
    }
    assert reached == {
        ("APIHandler", "dynamodb:GetItem"): ["BUDGET#*", "OPTOUT#*"],
        ("APIHandler", "dynamodb:PutItem"): ["OPTOUT#*"],
        ("PeoplesData", "dynamodb:GetItem"): ["OPTOUT#*"],
        ("PeoplesData", "dynamodb:UpdateItem"): ["BUDGET#*"],
    }


def test_only_administration_makes_clients_and_tokens_and_changes_their_roles(
    template: PackagedTemplate,
) -> None:
    free = set()
    for function in template.functions:
        for statement in iter_statements(template, function):
            writes = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
            if statement["Resource"] != {"Fn::GetAtt": ["ClientsTable", "Arn"]} or not writes & {
                *as_list(statement["Action"])
            }:
                continue
            condition = statement.get("Condition", {})
            keys = condition.get("ForAllValues:StringLike", {}).get(KEYS, ["*"])
            attributes = {*condition.get("ForAllValues:StringEquals", {}).get("dynamodb:Attributes", ["*"])}
            reaches = any(fnmatchcase(f"{kind}#1", key) for kind in ("CLIENT", "TOKEN") for key in keys)
            if reaches and not attributes <= USES_OF_CLIENTS:
                free.add(function)
    assert free == {"Administration"}


def test_only_functions_that_end_registrations_may_delete_sms(template: PackagedTemplate) -> None:
    deleting = {
        function
        for function in template.functions
        for grant in template.iter_grants(template.find_role(function))
        if (grant.action, grant.resource) == ("dynamodb:DeleteItem", "SmsLedgerTable.Arn")
    }
    assert deleting == {"AgeRegistrations", "PeoplesData"}


def test_a_function_unwraps_only_keys_of_the_purposes_it_has(template: PackagedTemplate) -> None:
    purposes = {
        function: statement["Condition"]
        for function in template.functions
        for policy in template.resources[template.find_role(function)]["Properties"]["Policies"]
        for statement, _ in map(split_condition, policy["PolicyDocument"]["Statement"])
        if "kms:Decrypt" in as_list(statement["Action"])
    }
    context = "kms:EncryptionContext:daftar:purpose"
    assert purposes == {
        "APIHandler": {"StringEquals": {context: [FIELD_PURPOSE, HASH_PURPOSE, RESCUE_PURPOSE]}},
        "Administration": {"StringEquals": {context: [FIELD_PURPOSE, HASH_PURPOSE]}},
        "PeoplesData": {"StringEquals": {context: [FIELD_PURPOSE, HASH_PURPOSE]}},
        "OnChatEvents": {"StringEquals": {context: [FIELD_PURPOSE, HASH_PURPOSE]}},
        "OnChatOutbox": {"StringEquals": {context: FIELD_PURPOSE}},
        "OnNotifications": {"StringEquals": {context: [FIELD_PURPOSE, HASH_PURPOSE]}},
        "RollUpDueDays": {"StringEquals": {context: FIELD_PURPOSE}},
        "DeliverReports": {"StringEquals": {context: [FIELD_PURPOSE, HASH_PURPOSE]}},
        "ExportDays": {"StringEquals": {context: HASH_PURPOSE}},
        "AgeRegistrations": {"StringEquals": {context: FIELD_PURPOSE}},
    }


def test_only_one_function_may_send_mail_and_only_from_one_address(template: PackagedTemplate) -> None:
    mailing = {
        function: statement["Condition"]
        for function in template.functions
        for policy in template.resources[template.find_role(function)]["Properties"]["Policies"]
        for statement, _ in map(split_condition, policy["PolicyDocument"]["Statement"])
        if any(action.startswith("ses:") for action in as_list(statement["Action"]))
    }
    assert mailing == {"DeliverReports": {"StringEquals": {"ses:FromAddress": {"Ref": "MailFrom"}}}}


def test_recorded_requests_about_personal_data_cannot_be_changed(template: PackagedTemplate) -> None:
    granted = [
        grant.action
        for role in set(template.find_resources("AWS::IAM::Role")) - set(SERVICE_BY_ROLE)
        for grant in template.iter_grants(role)
        if grant.resource == "RequestsTable.Arn"
    ]
    assert sorted(granted) == ["dynamodb:GetItem", "dynamodb:PutItem"]


def test_records_of_the_audit_trail_are_added_and_never_changed(template: PackagedTemplate) -> None:
    granted = {
        grant.action
        for role in set(template.find_resources("AWS::IAM::Role")) - set(SERVICE_BY_ROLE)
        for grant in template.iter_grants(role)
        if grant.resource == "AuditTable.Arn"
    }
    # BatchWriteItem would allow deletes, too.
    assert granted == {"dynamodb:PutItem", "dynamodb:Query"}


def test_every_function_has_its_own_role_and_no_role_is_unused(template: PackagedTemplate) -> None:
    used = Counter(template.find_role(function) for function in template.functions)
    assert set(used) == set(template.find_resources("AWS::IAM::Role")) - set(SERVICE_BY_ROLE)
    assert set(used.values()) == {1}


def test_no_role_is_given_actions_by_pattern(template: PackagedTemplate) -> None:
    for role in template.find_resources("AWS::IAM::Role"):
        assert not [grant for grant in template.iter_grants(role) if "*" in grant.action], role


def test_no_role_is_given_a_resource_by_pattern_if_it_can_be_named(template: PackagedTemplate) -> None:
    for role in template.find_resources("AWS::IAM::Role"):
        by_pattern = {grant for grant in template.iter_grants(role) if "*" in grant.resource}
        allowed = {*ACTIONS_WITHOUT_RESOURCE, *ACTIONS_BY_PATTERN.get(role, ())}
        assert {grant.action for grant in by_pattern} <= allowed, role


def test_roles_have_no_other_policies_than_their_own(template: PackagedTemplate) -> None:
    assert not template.find_resources("AWS::IAM::Policy")
    assert not template.find_resources("AWS::IAM::ManagedPolicy")
    for name, role in template.find_resources("AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in role, name
    for name, function in template.functions.items():
        assert "Policies" not in function, name


def test_only_the_service_that_a_role_is_for_may_assume_it(template: PackagedTemplate) -> None:
    for name, role in template.find_resources("AWS::IAM::Role").items():
        statements = role["AssumeRolePolicyDocument"]["Statement"]
        service = SERVICE_BY_ROLE.get(name, "lambda.amazonaws.com")
        assert [each["Principal"] for each in statements] == [{"Service": service}], name


def test_every_index_is_readable_and_every_readable_index_exists(
    template: PackagedTemplate,
) -> None:
    declared = {
        f"{name}.Arn/index/{index['IndexName']}"
        for name, table in template.tables.items()
        for index in table.get("GlobalSecondaryIndexes", [])
    }
    granted = {
        grant.resource
        for role in template.find_resources("AWS::IAM::Role")
        for grant in template.iter_grants(role)
        if "/index/" in grant.resource
    }
    assert granted == declared


def test_no_function_scans_a_table(template: PackagedTemplate) -> None:
    for role in template.find_resources("AWS::IAM::Role"):
        assert "dynamodb:Scan" not in {grant.action for grant in template.iter_grants(role)}, role
