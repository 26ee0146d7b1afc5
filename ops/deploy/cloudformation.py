"""Deploying a package by CloudFormation, and seeing that what was asked for is what stands there."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from ops.deploy.packaging import Package

# The client of an AWS service, by the service's name: the one thing that differs between here and AWS.
AwsClientFactory = Callable[[str], Any]

_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_FAILED_CREATION_STATUSES = {"ROLLBACK_COMPLETE", "CREATE_FAILED"}


class DeploymentFailed(Exception):
    """CloudFormation refused, or what it made is not what we packaged; the message says where and why."""


@dataclass(frozen=True)
class Deployment:
    """A stack that stands: its outputs and, by logical id, the physical names of its resources."""

    stack_name: str
    outputs: Mapping[str, str]
    resources: Mapping[str, str]


def deploy(
    package: Package,
    *,
    stack_name: str,
    bucket: str,
    parameters: Mapping[str, str],
    aws_client: AwsClientFactory,
) -> Deployment:
    """Create the stack, update it, or leave it alone when nothing has changed. Raises DeploymentFailed."""
    template_url = _upload_package(package, bucket, aws_client("s3"))
    cloudformation = aws_client("cloudformation")
    request = {
        "StackName": stack_name,
        "TemplateURL": template_url,
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        "Capabilities": _CAPABILITIES,
    }
    _create_or_update(cloudformation, request)
    deployment = _read_deployment(cloudformation, stack_name)
    _check_functions(package, deployment, aws_client("lambda"))
    return deployment


def _upload_package(package: Package, bucket: str, s3: Any) -> str:
    """Store zip and template under the digest of their content, and say where the template is."""
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    archive_key = f"{package.digest}.zip"
    s3.put_object(Bucket=bucket, Key=archive_key, Body=package.archive.read_bytes())
    template = deepcopy(package.template)
    for _, function in _iter_functions(template):
        function["Properties"]["CodeUri"] = f"s3://{bucket}/{archive_key}"
    body = json.dumps(template, sort_keys=True).encode()
    template_key = f"{sha256(body).hexdigest()}.json"
    s3.put_object(Bucket=bucket, Key=template_key, Body=body)
    return f"{s3.meta.endpoint_url}/{bucket}/{template_key}"


def _iter_functions(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            yield name, resource


def _create_or_update(cloudformation: Any, request: dict[str, Any]) -> None:
    stack = request["StackName"]
    status = _read_stack_status(cloudformation, stack)
    if status in _FAILED_CREATION_STATUSES:
        cloudformation.delete_stack(StackName=stack)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack)
        status = None
    try:
        if status is None:
            cloudformation.create_stack(**request)
            waiter = cloudformation.get_waiter("stack_create_complete")
        else:
            cloudformation.update_stack(**request)
            waiter = cloudformation.get_waiter("stack_update_complete")
        waiter.wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 1800})
    except WaiterError:
        raise DeploymentFailed("\n".join(_iter_failures(cloudformation, stack))) from None
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise DeploymentFailed(str(error)) from error


def _read_stack_status(cloudformation: Any, stack_name: str) -> str | None:
    try:
        return str(cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]["StackStatus"])
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def _iter_failures(cloudformation: Any, stack_name: str) -> Iterator[str]:
    for event in cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]:
        if event["ResourceStatus"].endswith("FAILED"):
            yield f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"


def read_stack_outputs(cloudformation: Any, stack_name: str) -> dict[str, str]:
    """What a stack that stands says of itself."""
    described = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def _read_deployment(cloudformation: Any, stack_name: str) -> Deployment:
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
    return Deployment(
        stack_name=stack_name,
        outputs=read_stack_outputs(cloudformation, stack_name),
        resources={
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
        },
    )


def _check_functions(package: Package, deployment: Deployment, lambda_client: Any) -> None:
    """Raises DeploymentFailed unless every function runs exactly the zip that we packaged."""
    expected = b64encode(bytes.fromhex(package.digest)).decode()
    for name, resource in _iter_functions(package.template):
        found = lambda_client.get_function_configuration(FunctionName=deployment.resources[name])
        if found["CodeSize"] == 0 or found["CodeSha256"] != expected:
            raise DeploymentFailed(f"{name} does not run the zip that was packaged")
        if found["Runtime"] != resource["Properties"]["Runtime"]:
            raise DeploymentFailed(f"{name} runs on {found['Runtime']}")
