"""Each function has its own role, with exactly the actions and resources that it needs."""

from collections import Counter

import pytest

from chalicelib.crypto.keyring import FIELD_PURPOSE, HASH_PURPOSE, RESCUE_PURPOSE
from tests.support.chat_grants import CHAT_FUNCTION_GRANTS, CHAT_GRANTS, DATA_KEY_GRANTS
from tests.support.template import Grant, PackagedTemplate, as_list, split_condition

# Actions on a wildcard resource, and the reason for each.
ACTIONS_WITHOUT_RESOURCE = {
    "cloudwatch:DescribeAlarms": "alarms are read by no resource",
    "dynamodb:ListStreams": "needed to set up an event source mapping; it has no resource",
    "s3:DeleteObject": "the names of future objects are unknown",
    "s3:GetObject": "the names of future objects are unknown",
    "s3:PutObject": "the names of future objects are unknown",
    "xray:PutTelemetryRecords": "traces have no resource",
    "xray:PutTraceSegments": "traces have no resource",
}

# The roles that no function has, and the service that each is for.
SERVICE_BY_ROLE = {"TrafficShiftRole": "codedeploy.amazonaws.com", "VaultRole": "backup.amazonaws.com"}

TRACE_GRANTS = {Grant("xray:PutTelemetryRecords", "*"), Grant("xray:PutTraceSegments", "*")}
SMS = "arn:AWS::Partition:sms-voice:AWS::Region:AWS::AccountId:"
SES = "arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:"
PHOTO_GRANTS = {
    Grant("s3:DeleteObject", "PhotosBucket.Arn/captures/*"),
    Grant("s3:ListBucket", "PhotosBucket.Arn"),
}
GATEWAY_ACCOUNT = Grant("secretsmanager:GetSecretValue", "TwilioSecret if TwilioIsConfigured")
SMS_GRANTS = {
    Grant("sms-voice:SendTextMessage", f"{SMS}sender-id/SmsOriginationIdentity/ID"),
    Grant(
        "sms-voice:SendTextMessage",
        f"{SMS}configuration-set/SmsConfigurationSet if ReceiptsAreConfigured",
    ),
    Grant(
        "sms-voice:SendTextMessage",
        f"{SMS}protect-configuration/SmsProtectConfiguration if ProtectionIsConfigured",
    ),
    GATEWAY_ACCOUNT,
}
MAIL_GRANTS = {
    Grant(action, f"{SES}{resource} if MailIsConfigured")
    for action in ("ses:SendEmail", "ses:SendRawEmail")
    for resource in (
        "identity/MailIdentity",
        "configuration-set/MailConfigurationSet if MailEventsAreConfigured",
    )
}

GRANTS_BY_FUNCTION = {
    "APIHandler": {
        *CHAT_GRANTS,
        Grant("dynamodb:BatchGetItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:ConditionCheckItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:DeleteItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn"),
        Grant("dynamodb:GetItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:PutItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:UpdateItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn/index/by_campaign_day"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn/index/by_device_sequence"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn/index/by_status"),
        Grant("dynamodb:GetItem", "CampaignsTable.Arn"),
        Grant("dynamodb:PutItem", "CampaignsTable.Arn"),
        Grant("dynamodb:UpdateItem", "CampaignsTable.Arn"),
        Grant("dynamodb:Query", "CampaignsTable.Arn/index/by_last_day"),
        Grant("dynamodb:GetItem", "ClientsTable.Arn"),
        Grant("dynamodb:PutItem", "ClientsTable.Arn"),
        Grant("dynamodb:UpdateItem", "ClientsTable.Arn"),
        Grant("dynamodb:Query", "ClientsTable.Arn/index/by_listing"),
        Grant("dynamodb:GetItem", "SummariesTable.Arn"),
        Grant("dynamodb:PutItem", "SummariesTable.Arn"),
        Grant("dynamodb:Query", "SummariesTable.Arn"),
        Grant("dynamodb:UpdateItem", "SummariesTable.Arn"),
        *PHOTO_GRANTS,
        Grant("s3:GetObject", "PhotosBucket.Arn/captures/*"),
        Grant("s3:PutObject", "PhotosBucket.Arn/captures/*"),
        Grant("sqs:SendMessage", "ReceiptsQueue.Arn"),
        GATEWAY_ACCOUNT,
        Grant("dynamodb:DeleteItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:GetItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:PutItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:Query", "SmsLedgerTable.Arn/index/by_campaign_day"),
        Grant("dynamodb:Query", "SmsLedgerTable.Arn/index/by_reference"),
        Grant("dynamodb:GetItem", "SendingTable.Arn"),
        Grant("dynamodb:UpdateItem", "SendingTable.Arn"),
        Grant("dynamodb:GetItem", "RequestsTable.Arn"),
        Grant("dynamodb:PutItem", "RequestsTable.Arn"),
        Grant("dynamodb:Query", "RequestsTable.Arn/index/by_subject"),
        Grant("dynamodb:PutItem", "AuditTable.Arn"),
        Grant("dynamodb:Query", "AuditTable.Arn"),
        Grant("dynamodb:BatchGetItem", "ReviewsTable.Arn"),
        Grant("dynamodb:DeleteItem", "ReviewsTable.Arn"),
        Grant("dynamodb:GetItem", "ReviewsTable.Arn"),
        Grant("dynamodb:PutItem", "ReviewsTable.Arn"),
        Grant("dynamodb:Query", "ReviewsTable.Arn"),
        Grant("dynamodb:UpdateItem", "ReviewsTable.Arn"),
        Grant("dynamodb:Query", "ReviewsTable.Arn/index/by_state"),
        Grant("dynamodb:Query", "AuditTable.Arn/index/by_client"),
        *DATA_KEY_GRANTS,
    },
    "AuthorizeCaller": {
        Grant("dynamodb:GetItem", "ClientsTable.Arn"),
        Grant("dynamodb:UpdateItem", "ClientsTable.Arn"),
    },
    "OnRegistrationChanges": {
        Grant("dynamodb:DescribeStream", "RegistrationsTable.StreamArn"),
        Grant("dynamodb:GetRecords", "RegistrationsTable.StreamArn"),
        Grant("dynamodb:GetShardIterator", "RegistrationsTable.StreamArn"),
        Grant("dynamodb:ListStreams", "*"),
        Grant("dynamodb:UpdateItem", "SummariesTable.Arn"),
        Grant("dynamodb:DeleteItem", "ReviewsTable.Arn"),
        Grant("dynamodb:GetItem", "ReviewsTable.Arn"),
        Grant("dynamodb:PutItem", "ReviewsTable.Arn"),
        Grant("dynamodb:Query", "ReviewsTable.Arn"),
        Grant("dynamodb:UpdateItem", "ReviewsTable.Arn"),
        Grant("sqs:SendMessage", "NotificationsQueue.Arn"),
        Grant("sqs:SendMessage", "StreamFailures.Arn"),
    },
    "OnNotifications": {
        *SMS_GRANTS,
        Grant("sqs:ChangeMessageVisibility", "NotificationsQueue.Arn"),
        Grant("sqs:DeleteMessage", "NotificationsQueue.Arn"),
        Grant("sqs:GetQueueAttributes", "NotificationsQueue.Arn"),
        Grant("sqs:ReceiveMessage", "NotificationsQueue.Arn"),
        Grant("sqs:ChangeMessageVisibility", "RemindersQueue.Arn"),
        Grant("sqs:DeleteMessage", "RemindersQueue.Arn"),
        Grant("sqs:GetQueueAttributes", "RemindersQueue.Arn"),
        Grant("sqs:ReceiveMessage", "RemindersQueue.Arn"),
        Grant("dynamodb:GetItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:GetItem", "CampaignsTable.Arn"),
        Grant("dynamodb:GetItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:PutItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:ConditionCheckItem", "SendingTable.Arn"),
        Grant("dynamodb:GetItem", "SendingTable.Arn"),
        Grant("dynamodb:PutItem", "SendingTable.Arn"),
        Grant("dynamodb:UpdateItem", "SendingTable.Arn"),
        *DATA_KEY_GRANTS,
    },
    "OnReceipts": {
        Grant("sqs:ChangeMessageVisibility", "ReceiptsQueue.Arn"),
        Grant("sqs:DeleteMessage", "ReceiptsQueue.Arn"),
        Grant("sqs:GetQueueAttributes", "ReceiptsQueue.Arn"),
        Grant("sqs:ReceiveMessage", "ReceiptsQueue.Arn"),
        Grant("dynamodb:GetItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:PutItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:GetItem", "SendingTable.Arn"),
        Grant("dynamodb:PutItem", "SendingTable.Arn"),
        Grant("dynamodb:UpdateItem", "SendingTable.Arn"),
    },
    **CHAT_FUNCTION_GRANTS,
    "QueueDueSms": {
        Grant("dynamodb:Query", "SmsLedgerTable.Arn/index/by_due"),
        Grant("dynamodb:GetItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:PutItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:GetItem", "SendingTable.Arn"),
        Grant("sqs:SendMessage", "NotificationsQueue.Arn"),
        Grant("sqs:SendMessage", "RemindersQueue.Arn"),
        Grant("sqs:SendMessage", "DueSmsFailures.Arn"),
    },
    "RollUpDueDays": {
        Grant("dynamodb:PutItem", "ReviewsTable.Arn"),
        Grant("dynamodb:UpdateItem", "ReviewsTable.Arn"),
        Grant("dynamodb:DeleteItem", "SummariesTable.Arn"),
        Grant("dynamodb:GetItem", "SummariesTable.Arn"),
        Grant("dynamodb:PutItem", "SummariesTable.Arn"),
        Grant("dynamodb:Query", "SummariesTable.Arn"),
        Grant("dynamodb:Query", "SummariesTable.Arn/index/by_due"),
        Grant("dynamodb:UpdateItem", "SummariesTable.Arn"),
        Grant("dynamodb:GetItem", "CampaignsTable.Arn"),
        Grant("dynamodb:Query", "CampaignsTable.Arn/index/by_last_day"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn/index/by_campaign_day"),
        Grant("dynamodb:Query", "SmsLedgerTable.Arn/index/by_campaign_day"),
        Grant("sqs:SendMessage", "RollUpFailures.Arn"),
        *DATA_KEY_GRANTS,
    },
    "DeliverReports": {
        Grant("dynamodb:DeleteItem", "SummariesTable.Arn"),
        Grant("dynamodb:GetItem", "SummariesTable.Arn"),
        Grant("dynamodb:PutItem", "SummariesTable.Arn"),
        Grant("dynamodb:Query", "SummariesTable.Arn"),
        Grant("dynamodb:GetItem", "CampaignsTable.Arn"),
        Grant("dynamodb:GetItem", "SendingTable.Arn"),
        Grant("dynamodb:PutItem", "SendingTable.Arn"),
        Grant("dynamodb:UpdateItem", "SendingTable.Arn"),
        Grant("sqs:SendMessage", "DeliveryFailures.Arn"),
        *MAIL_GRANTS,
        *SMS_GRANTS,
        *DATA_KEY_GRANTS,
    },
    "ExportDays": {
        Grant("dynamodb:DeleteItem", "SummariesTable.Arn"),
        Grant("dynamodb:Query", "SummariesTable.Arn"),
        Grant("dynamodb:UpdateItem", "SummariesTable.Arn"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn/index/by_campaign_day"),
        Grant("s3:DeleteObject", "ExportsBucket.Arn/captures/*"),
        Grant("s3:PutObject", "ExportsBucket.Arn/captures/*"),
        Grant("s3:ListBucket", "ExportsBucket.Arn"),
        Grant("sqs:SendMessage", "ExportFailures.Arn"),
        *DATA_KEY_GRANTS,
    },
    "AgeRegistrations": {
        Grant("dynamodb:DeleteItem", "ConversationsTable.Arn"),
        Grant("dynamodb:DeleteItem", "ReviewsTable.Arn"),
        Grant("dynamodb:GetItem", "ReviewsTable.Arn"),
        Grant("dynamodb:Query", "ReviewsTable.Arn"),
        Grant("dynamodb:UpdateItem", "ReviewsTable.Arn"),
        *PHOTO_GRANTS,
        Grant("dynamodb:DeleteItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn"),
        Grant("dynamodb:GetItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:PutItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:UpdateItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn/index/by_due_day"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn/index/by_status"),
        Grant("dynamodb:DeleteItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:GetItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:PutItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:Query", "SmsLedgerTable.Arn/index/by_reference"),
        Grant("dynamodb:UpdateItem", "SendingTable.Arn"),
        Grant("dynamodb:PutItem", "AuditTable.Arn"),
        Grant("sqs:SendMessage", "AgeingFailures.Arn"),
        *DATA_KEY_GRANTS,
    },
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


def test_the_api_reaches_only_opt_outs_and_budgets_of_the_sending_table(
    template: PackagedTemplate,
) -> None:
    (policy,) = template.resources[template.find_role("APIHandler")]["Properties"]["Policies"]
    reached = {
        statement["Action"]: statement["Condition"]
        for statement, _ in map(split_condition, policy["PolicyDocument"]["Statement"])
        if statement["Resource"] == {"Fn::GetAtt": ["SendingTable", "Arn"]}
    }
    assert reached == {
        "dynamodb:GetItem": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["OPTOUT#*"]}},
        "dynamodb:PutItem": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["OPTOUT#*"]}},
        "dynamodb:UpdateItem": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["BUDGET#*"]}},
    }


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
        assert {grant.action for grant in by_pattern} <= set(ACTIONS_WITHOUT_RESOURCE), role


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
