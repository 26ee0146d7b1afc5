"""Deploy a package by CloudFormation, and check that the functions run the packaged zip."""

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from infra.functions import ALIAS
from ops.deploy.artefacts import create_artefact_bucket
from ops.deploy.packaging import Package
from ops.deploy.releases import iter_functions, name_release
from ops.deploy.stages import AwsClientFactory, Stage, describe_stage
from ops.errors import OperationError

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
FAILED_CREATION_STATUSES = {"ROLLBACK_COMPLETE", "CREATE_FAILED"}
# A change set of a new stack was made, and not executed.
PREPARED_STATUS = "REVIEW_IN_PROGRESS"

WAIT = {"Delay": 1, "MaxAttempts": 1800}


class DeploymentFailed(OperationError):
    """CloudFormation failed, or the functions do not run the packaged zip; the message names the resource."""


def deploy(
    package: Package,
    *,
    stack_name: str,
    bucket: str,
    parameters: Mapping[str, str],
    aws_client: AwsClientFactory,
) -> Stage:
    """Create or update the stack, or do nothing if nothing has changed. Raise DeploymentFailed."""
    create_artefact_bucket(aws_client("s3"), bucket)
    template_url = upload_package(package, bucket, aws_client("s3"), parameters)
    cloudformation = aws_client("cloudformation")
    request = {
        "StackName": stack_name,
        "TemplateURL": template_url,
        "Parameters": to_parameter_list(parameters),
        "Capabilities": CAPABILITIES,
    }
    _create_or_update(cloudformation, request)
    stage = describe_stage(stack_name, aws_client)
    check_functions(package, stage)
    return stage


def upload_package(package: Package, bucket: str, s3: Any, parameters: Mapping[str, str]) -> str:
    """Store the zip and the template under the digests of their content. Return the template's URL.

    The template is that of a release with these parameters.
    """
    archive_key = f"{package.digest}.zip"
    s3.put_object(Bucket=bucket, Key=archive_key, Body=package.archive.read_bytes())
    archive_url = f"s3://{bucket}/{archive_key}"
    release = name_release(package.template, package.digest, archive_url, parameters)
    return upload_template(release, bucket, s3)


def upload_template(template: Mapping[str, Any], bucket: str, s3: Any) -> str:
    """Store a template under the digest of its content. Return its URL."""
    body = json.dumps(template, sort_keys=True).encode()
    template_key = f"{sha256(body).hexdigest()}.json"
    s3.put_object(Bucket=bucket, Key=template_key, Body=body)
    return f"{s3.meta.endpoint_url}/{bucket}/{template_key}"


def _create_or_update(cloudformation: Any, request: dict[str, Any]) -> None:
    stack = request["StackName"]
    status = clear_failed_creation(cloudformation, stack)
    try:
        if status is None:
            cloudformation.create_stack(**request)
        else:
            cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise DeploymentFailed(str(error)) from error
        return
    await_stack(cloudformation, stack, is_new=status is None)


def to_parameter_list(parameters: Mapping[str, str]) -> list[dict[str, str]]:
    """Return parameters as CloudFormation's requests have them."""
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]


def await_stack(cloudformation: Any, stack_name: str, *, is_new: bool) -> None:
    """Wait for the end of a creation or an update. Raise DeploymentFailed, naming what failed."""
    waiter = cloudformation.get_waiter(f"stack_{'create' if is_new else 'update'}_complete")
    try:
        waiter.wait(StackName=stack_name, WaiterConfig=WAIT)
    except WaiterError:
        raise DeploymentFailed("\n".join(_list_failures(cloudformation, stack_name))) from None


def clear_failed_creation(cloudformation: Any, stack_name: str) -> str | None:
    """Return the status of a stack. One whose creation failed is deleted, as it cannot be updated: None."""
    status = read_stack_status(cloudformation, stack_name)
    if status not in FAILED_CREATION_STATUSES:
        return status
    cloudformation.delete_stack(StackName=stack_name)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack_name)
    return None


def read_stack_status(cloudformation: Any, stack_name: str) -> str | None:
    """Return the status of a stack, None if there is no such stack."""
    try:
        return str(cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]["StackStatus"])
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def _list_failures(cloudformation: Any, stack_name: str) -> list[str]:
    """Return each resource of the stack that failed, and why."""
    return [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        for event in cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]
        if event["ResourceStatus"].endswith("FAILED")
    ]


def check_functions(package: Package, stage: Stage) -> None:
    """Raise DeploymentFailed unless every function runs exactly the packaged zip."""
    expected = b64encode(bytes.fromhex(package.digest)).decode()
    pages = stage.aws_client("cloudformation").get_paginator("list_stack_resources")
    physical_names = {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages.paginate(StackName=stage.stack_name)
        for resource in page["StackResourceSummaries"]
    }
    lambda_client = stage.aws_client("lambda")
    for name, properties in iter_functions(package.template):
        found = lambda_client.get_function_configuration(FunctionName=physical_names[name], Qualifier=ALIAS)
        if found["CodeSize"] == 0 or found["CodeSha256"] != expected:
            raise DeploymentFailed(f"{name} does not run the zip that was packaged")
        if found["Runtime"] != properties["Runtime"]:
            raise DeploymentFailed(f"{name} runs on {found['Runtime']}")
