"""The bucket that a stage is deployed from: private, encrypted, versioned, and cleaned up by itself."""

import json
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError

# A package is needed until the next deployment, and its versions for going back.
_OLD_VERSIONS_DAYS = 90


def create_artefact_bucket(s3: Any, name: str) -> None:
    """Create the bucket if it does not exist, and set what protects it.

    Raise ClientError, also if the bucket belongs to another account.
    """
    _create_if_missing(s3, name)
    s3.put_public_access_block(
        Bucket=name,
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        ),
    )
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    lifecycle = {
        "ID": "old-versions",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": _OLD_VERSIONS_DAYS},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [lifecycle]})
    # The emulator speaks plain HTTP.
    if s3.meta.endpoint_url.startswith("https:"):
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps(_make_tls_policy(name)))


def _make_tls_policy(bucket: str) -> dict[str, Any]:
    arn = f"arn:aws:s3:::{bucket}"
    statement = {
        "Sid": "OnlyOverTLS",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _create_if_missing(s3: Any, name: str) -> None:
    try:
        s3.head_bucket(Bucket=name)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.NOT_FOUND:
            raise
        # us-east-1 is the one region that may not be named.
        region = s3.meta.region_name
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **place)
