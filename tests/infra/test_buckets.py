"""Every bucket: private, encrypted, over TLS only, kept with its data, and emptied in the end."""

from tests.support.template import PackagedTemplate, Properties, resolve_logical_id, to_json


def buckets(template: PackagedTemplate) -> dict[str, Properties]:
    found = template.find_resources("AWS::S3::Bucket")
    assert found
    return found


def test_no_bucket_can_be_made_public(template: PackagedTemplate) -> None:
    for name, bucket in buckets(template).items():
        blocked = bucket["PublicAccessBlockConfiguration"]
        assert set(blocked.values()) == {True}, name
        assert len(blocked) == len({"acls", "policies", "ignored acls", "restricted"}), name
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}], name


def test_every_bucket_is_encrypted(template: PackagedTemplate) -> None:
    for name, bucket in buckets(template).items():
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in {"AES256", "aws:kms"}, name


def test_a_bucket_answers_over_tls_only_and_its_policy_allows_nobody_anything(
    template: PackagedTemplate,
) -> None:
    policies = template.find_resources("AWS::S3::BucketPolicy")
    assert {resolve_logical_id(policy["Bucket"]) for policy in policies.values()} == set(buckets(template))
    for name, policy in policies.items():
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*"), (
            name
        )
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}, name


def test_what_is_removed_from_a_bucket_is_gone(template: PackagedTemplate) -> None:
    """An older version would keep the rows of somebody who was erased."""
    for name, bucket in buckets(template).items():
        assert "VersioningConfiguration" not in bucket, name
        assert "ObjectLockEnabled" not in bucket, name


def test_what_stands_in_a_bucket_is_removed_after_a_chosen_time(template: PackagedTemplate) -> None:
    for name, bucket in buckets(template).items():
        (rule,) = bucket["LifecycleConfiguration"]["Rules"]
        assert (rule["Status"], template.resolve_defaults(rule["ExpirationInDays"])) == (
            "Enabled",
            730,
        ), name


def test_no_bucket_is_deleted_with_its_stack(template: PackagedTemplate) -> None:
    for name in buckets(template):
        resource = template.resources[name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain"), name


def test_no_function_reads_what_was_exported(template: PackagedTemplate) -> None:
    reading = [
        grant
        for role in template.find_resources("AWS::IAM::Role")
        for grant in template.iter_grants(role)
        if grant.action.startswith("s3:Get")
    ]
    assert reading == []


def test_a_bucket_can_be_found_by_its_output(template: PackagedTemplate) -> None:
    assert {f"{name}Name" for name in buckets(template)} <= set(template.document["Outputs"])
    assert "ExportsBucket" in to_json(template.document["Outputs"])
