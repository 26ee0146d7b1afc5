"""Every table is retained, recoverable and encrypted under a key of our own; key policies are narrow."""

from tests.support.template import PackagedTemplate, as_list, resolve_logical_id, to_json

# Items of these tables expire; those of the others are kept until they are erased.
EXPIRING = {
    "ConversationsTable",
    "RegistrationsTable",
    "ClientsTable",
    "SmsLedgerTable",
    "SendingTable",
    "AuditTable",
    "ReviewsTable",
    "RequestsTable",
}


def test_every_table_has_point_in_time_recovery(template: PackagedTemplate) -> None:
    assert template.tables
    for name, table in template.tables.items():
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True, name


def test_every_table_is_encrypted_under_a_key_of_our_own(template: PackagedTemplate) -> None:
    keys = template.find_resources("AWS::KMS::Key")
    for name, table in template.tables.items():
        encryption = table["SSESpecification"]
        assert (encryption["SSEEnabled"], encryption["SSEType"]) == (True, "KMS"), name
        assert resolve_logical_id(encryption["KMSMasterKeyId"]) in keys, name


def test_no_table_is_deleted_with_its_stack(template: PackagedTemplate) -> None:
    for name in template.tables:
        resource = template.resources[name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain"), name


def test_tables_are_protected_from_deletion_by_default(template: PackagedTemplate) -> None:
    for name, table in template.tables.items():
        assert template.resolve_defaults(table["DeletionProtectionEnabled"]) is True, name


def test_every_table_has_on_demand_capacity(template: PackagedTemplate) -> None:
    for name, table in template.tables.items():
        assert table["BillingMode"] == "PAY_PER_REQUEST", name


def test_exactly_the_tables_with_expiring_items_have_a_time_to_live(template: PackagedTemplate) -> None:
    expiring = {name: table.get("TimeToLiveSpecification") for name, table in template.tables.items()}
    assert {name for name, each in expiring.items() if each} == EXPIRING
    assert all(each == {"AttributeName": "expires_at", "Enabled": True} for each in expiring.values() if each)


def test_a_throttled_table_raises_an_alarm(template: PackagedTemplate) -> None:
    watched = [
        template.find_alarms("AWS/DynamoDB", metric, "TableName")
        for metric in ("ReadThrottleEvents", "WriteThrottleEvents")
    ]
    assert {name for each in watched for name in each} == set(template.tables)


def test_a_throttled_index_raises_an_alarm(template: PackagedTemplate) -> None:
    indexes = {
        (name, index["IndexName"])
        for name, table in template.tables.items()
        for index in table.get("GlobalSecondaryIndexes", ())
    }
    watched: dict[str, set[tuple[str, str]]] = {"ReadThrottleEvents": set(), "WriteThrottleEvents": set()}
    for alarm in template.find_resources("AWS::CloudWatch::Alarm").values():
        dimensions = {each["Name"]: each["Value"] for each in alarm.get("Dimensions", ())}
        if "GlobalSecondaryIndexName" in dimensions:
            table = resolve_logical_id(dimensions["TableName"])
            watched[alarm["MetricName"]].add((table, dimensions["GlobalSecondaryIndexName"]))
    assert watched == dict.fromkeys(watched, indexes)


def test_failing_writes_of_registrations_raise_an_alarm(template: PackagedTemplate) -> None:
    failing = template.find_alarms("AWS/DynamoDB", "SystemErrors", "TableName")
    assert set(failing) == {
        resolve_logical_id(source.properties["Stream"]) for source in template.find_event_sources("DynamoDB")
    }


def test_every_key_is_rotated_every_year(template: PackagedTemplate) -> None:
    for name, key in template.find_resources("AWS::KMS::Key").items():
        assert key["EnableKeyRotation"] is True, name


def test_no_key_that_data_depends_on_is_deleted_with_its_stack(template: PackagedTemplate) -> None:
    used_by_tables = {
        resolve_logical_id(each["SSESpecification"]["KMSMasterKeyId"]) for each in template.tables.values()
    }
    used_by_functions = {
        grant.resource.partition(".")[0]
        for role in template.find_resources("AWS::IAM::Role")
        for grant in template.iter_grants(role)
        if grant.action.startswith("kms:")
    }
    assert len(used_by_tables | used_by_functions) >= 2, "tables and fields have a key each"
    for name in used_by_tables | used_by_functions:
        resource = template.resources[name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain"), name


def test_tables_and_fields_do_not_share_a_key(template: PackagedTemplate) -> None:
    tables = {
        resolve_logical_id(each["SSESpecification"]["KMSMasterKeyId"]) for each in template.tables.values()
    }
    field_key = resolve_logical_id(
        template.document["Globals"]["Function"]["Environment"]["Variables"]["DAFTAR_FIELD_KEY_ARN"]
    )
    assert field_key not in tables


def test_no_key_policy_allows_every_action(template: PackagedTemplate) -> None:
    for name, key in template.find_resources("AWS::KMS::Key").items():
        for statement in key["KeyPolicy"]["Statement"]:
            assert not {"kms:*", "*"} & set(as_list(statement["Action"])), name


def test_the_key_of_data_keys_makes_opens_and_moves_them_and_encrypts_nothing_else(
    template: PackagedTemplate,
) -> None:
    statements = template.resources["FieldKey"]["Properties"]["KeyPolicy"]["Statement"]
    using = {each["Sid"]: each for each in statements if each["Sid"] != "AccountAdministers"}
    actions = {action for each in using.values() for action in as_list(each["Action"])}
    moves = {"kms:ReEncryptFrom", "kms:ReEncryptTo"}
    assert actions == {"kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", *moves}
    assert {*using["DataKeysAreMoved"]["Action"]} == moves
    assert using["DataKeysAreMoved"]["Condition"] == {
        "StringLike": {"kms:EncryptionContext:daftar:purpose": "*"}
    }
    granted = {
        grant.action
        for role in template.find_resources("AWS::IAM::Role")
        for grant in template.iter_grants(role)
    }
    assert not granted & moves, "no function moves keys"


def test_the_administrators_of_a_key_may_not_use_it(template: PackagedTemplate) -> None:
    using = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncrypt")
    for name, key in template.find_resources("AWS::KMS::Key").items():
        for statement in key["KeyPolicy"]["Statement"]:
            actions = as_list(statement["Action"])
            if "kms:ScheduleKeyDeletion" in actions:
                assert not [each for each in actions if each.startswith(using)], name


def test_a_key_open_to_everyone_requires_our_account_and_a_service(
    template: PackagedTemplate,
) -> None:
    for name, key in template.find_resources("AWS::KMS::Key").items():
        for statement in key["KeyPolicy"]["Statement"]:
            if statement["Principal"] in ("*", {"AWS": "*"}):
                condition = statement["Condition"]["StringEquals"]
                assert condition["kms:CallerAccount"] == {"Ref": "AWS::AccountId"}, name
                assert "amazonaws.com" in to_json(condition["kms:ViaService"]), name
