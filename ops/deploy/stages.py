"""A deployed stage: its CloudFormation stack, the outputs of that stack, and clients of AWS services."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from ops.aws_errors import AWS_ERRORS, explain_aws_error, get_error_code
from ops.errors import StackUnavailable

# Makes a boto3 client from the name of an AWS service; differs between a local stage and one on AWS.
AwsClientFactory = Callable[[str], Any]

# The SDK would give up after a minute and invoke the function again; Lambda runs one for 15 minutes at most.
INVOKE_CONFIG = Config(read_timeout=930, tcp_keepalive=True, retries={"total_max_attempts": 1})

# CloudFormation's code for a stack that does not exist, or whose name is none.
_NO_STACK_CODE = "ValidationError"


class StackOutputs(dict[str, str]):
    """The outputs of a stack. A missing one raises StackUnavailable: the stack is not one of Daftar."""

    def __init__(self, stack_name: str, outputs: Mapping[str, str]) -> None:
        super().__init__(outputs)
        self._stack_name = stack_name

    def __missing__(self, name: str) -> str:
        raise StackUnavailable(
            f"the stack {self._stack_name} has no output {name}: it is not Daftar, or of another version"
        )


@dataclass(frozen=True)
class Stage:
    """A stage, on AWS or in the emulator. `parameters` are its stack's, empty if not known."""

    stack_name: str
    outputs: Mapping[str, str]
    aws_client: AwsClientFactory
    is_local: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)

    def get_log_group(self, function_id: str) -> str:
        """Return the log group of a function, by its logical id, as the template names it."""
        return f"/aws/lambda/{self.stack_name}-{function_id}"

    def format_command(self, command: str) -> str:
        """Return the command line that runs a command of `daftar` on this stage."""
        return f"daftar {command}" if self.is_local else f"daftar {command} --stack {self.stack_name}"


def make_client_factory(session: Any) -> AwsClientFactory:
    """Return a factory of clients with the credentials and the region of a boto3 session."""
    return lambda service: session.client(service, config=INVOKE_CONFIG if service == "lambda" else None)


def find_stage(stack_name: str) -> Stage:
    """Return a stage on AWS, in the account and region of the environment. Raise OperationError."""
    session: Any = None
    try:
        session = boto3.Session()
        return describe_stage(stack_name, make_client_factory(session))
    except AWS_ERRORS as error:
        if isinstance(error, ClientError) and get_error_code(error) == _NO_STACK_CODE:
            raise StackUnavailable(
                f"no stack {stack_name} can be read in {session.region_name}, with these credentials"
            ) from None
        raise explain_aws_error(error) from None
    except ValueError:  # The SDK's error for an endpoint that is not a URL; it repeats the value.
        raise StackUnavailable("AWS_ENDPOINT_URL is not the URL of an endpoint") from None


def describe_stage(stack_name: str, aws_client: AwsClientFactory) -> Stage:
    """Return a stage with the present outputs of its stack. Raise ClientError if there is no such stack."""
    stacks = aws_client("cloudformation").describe_stacks(StackName=stack_name).get("Stacks")
    if not stacks:
        raise StackUnavailable(f"AWS does not describe the stack {stack_name}")
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stacks[0].get("Outputs", [])}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in stacks[0].get("Parameters", [])}
    return Stage(stack_name, StackOutputs(stack_name, outputs), aws_client, parameters=parameters)
