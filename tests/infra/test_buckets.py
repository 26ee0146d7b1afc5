"""Every bucket is private, encrypted, TLS only, retained with its data, and its objects expire."""

from tests.support.template import PackagedTemplate, Properties, resolve_logical_id, to_json


def get_buckets(template: PackagedTemplate) -> dict[str, Properties]:
    """Return the properties of every bucket, by logical id."""
    found = template.find_resources("AWS::S3::Bucket")
    assert found
    return found


def test_no_bucket_can_be_made_public(template: PackagedTemplate) -> None:
    for name, bucket in get_buckets(template).items():
        blocked = bucket["PublicAccessBlockConfiguration"]
        assert set(blocked.values()) == {True}, name
        assert len(blocked) == len({"acls", "policies", "ignored acls", "restricted"}), name
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}], name


def test_every_bucket_is_encrypted(template: PackagedTemplate) -> None:
    for name, bucket in get_buckets(template).items():
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in {"AES256", "aws:kms"}, name


def test_a_bucket_requires_tls_and_its_policy_allows_nothing(
    template: PackagedTemplate,
) -> None:
    policies = template.find_resources("AWS::S3::BucketPolicy")
    assert {resolve_logical_id(policy["Bucket"]) for policy in policies.values()} == set(
        get_buckets(template)
    )
    for name, policy in policies.items():
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*"), (
            name
        )
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}, name


def test_a_bucket_keeps_no_older_versions(template: PackagedTemplate) -> None:
    # An older version would keep the rows of an erased person.
    for name, bucket in get_buckets(template).items():
        assert "VersioningConfiguration" not in bucket, name
        assert "ObjectLockEnabled" not in bucket, name


def test_objects_expire_after_a_set_time(template: PackagedTemplate) -> None:
    for name, bucket in get_buckets(template).items():
        rules = bucket["LifecycleConfiguration"]["Rules"]
        (rule,) = [each for each in rules if "Prefix" not in each]
        days = {"ExportsBucket": 730, "PhotosBucket": 90}[name]
        assert (rule["Status"], template.resolve_defaults(rule["ExpirationInDays"])) == ("Enabled", days)


def test_no_bucket_is_deleted_with_its_stack(template: PackagedTemplate) -> None:
    for name in get_buckets(template):
        resource = template.resources[name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain"), name


def test_no_function_may_read_exports_and_the_api_alone_photos(template: PackagedTemplate) -> None:
    reading = [
        (role, grant.resource)
        for role in template.find_resources("AWS::IAM::Role")
        for grant in template.iter_grants(role)
        if grant.action.startswith("s3:Get")
    ]
    assert reading == [("APIHandlerRole", "PhotosBucket.Arn/captures/*")]


def test_every_bucket_has_an_output(template: PackagedTemplate) -> None:
    assert {f"{name}Name" for name in get_buckets(template)} <= set(template.document["Outputs"])
    assert "ExportsBucket" in to_json(template.document["Outputs"])
