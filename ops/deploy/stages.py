"""A deployed stage as operators reach it: its stack, what the stack put out, and clients of its services."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ops.deploy.cloudformation import AwsClientFactory
from ops.local.processes import OperationError


@dataclass(frozen=True)
class Stage:
    """One stage, on AWS or in the embedded one."""

    stack_name: str
    outputs: Mapping[str, str]
    aws_client: AwsClientFactory

    def get_log_group(self, function_id: str) -> str:
        """Where a function logs, by its logical id; `infra/functions.py` names the groups so."""
        return f"/aws/lambda/{self.stack_name}-{function_id}"


def find_stage(stack_name: str) -> Stage:
    """A stage on AWS, by the account and the region that the environment names. Raises OperationError."""
    session: Any = boto3.Session()
    try:
        found = session.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        raise OperationError(f"the stack {stack_name} cannot be looked at: {error}") from None
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
    return Stage(stack_name, outputs, session.client)
