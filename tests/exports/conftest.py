"""The bucket of exports on moto, empty for each test."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.support.export_bucket import ExportBucket


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("s3", "eu-north-1", aws_access_key_id="testing", aws_secret_access_key="testing")


@pytest.fixture
def bucket(s3: Any) -> Iterator[ExportBucket]:
    bucket = ExportBucket(s3)
    s3.create_bucket(Bucket=bucket.name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    yield bucket
    for key in bucket.list_keys():
        s3.delete_object(Bucket=bucket.name, Key=key)
    s3.delete_bucket(Bucket=bucket.name)
