"""A deployed stage: its CloudFormation stack, the outputs of that stack, and clients of AWS services."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import OperationError

# Makes a boto3 client from the name of an AWS service; differs between a local stage and one on AWS.
AwsClientFactory = Callable[[str], Any]


@dataclass(frozen=True)
class Stage:
    """A stage, on AWS or in the emulator."""

    stack_name: str
    outputs: Mapping[str, str]
    aws_client: AwsClientFactory

    def get_log_group(self, function_id: str) -> str:
        """Return the log group of a function, by its logical id, as the template names it."""
        return f"/aws/lambda/{self.stack_name}-{function_id}"


def find_stage(stack_name: str) -> Stage:
    """Return a stage on AWS, in the account and region of the environment. Raise OperationError."""
    session: Any = boto3.Session()
    try:
        return describe_stage(stack_name, session.client)
    except (BotoCoreError, ClientError) as error:
        raise OperationError(f"the stack {stack_name} cannot be read: {error}") from None


def describe_stage(stack_name: str, aws_client: AwsClientFactory) -> Stage:
    """Return a stage with the present outputs of its stack. Raise ClientError if there is no such stack."""
    described = aws_client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}
    return Stage(stack_name, outputs, aws_client)
