"""The roles of the functions, for the app in process: what a role does not allow is refused, as on AWS.

moto asks for no permission. Actions of DynamoDB are compared with the tables and indexes that a role names,
those of S3 with its buckets, those of KMS with the purposes of keys. Other services and conditions on items
are left to the e2e tests.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.aws.clients import AwsClients
from infra.template import join_template
from tests.support.template import as_list

Action = tuple[str, str]
"""An action, and the table, the index, the bucket or the purpose of a key that it is for."""

_PURPOSE = "kms:EncryptionContext:daftar:purpose"


class RoleBoundClients(AwsClients):
    """AWS clients that refuse, while functions run, what none of their roles allows."""

    def __init__(self, session: Any, denied: list[Action]) -> None:
        """Add what is refused to `denied`."""
        super().__init__(session)
        self._denied = denied
        self._running = threading.local()

    @contextmanager
    def run_as(self, *functions: str) -> Iterator[None]:
        """Act with the roles of these functions inside the block, in this thread."""
        before = getattr(self._running, "functions", ())
        self._running.functions = functions
        try:
            yield
        finally:
            self._running.functions = before

    def _create(self, service: str, config: Config) -> Any:
        client = super()._create(service, config)
        client.meta.events.register(f"before-parameter-build.{service}", self._check)
        return client

    def _check(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        functions = getattr(self._running, "functions", ())
        if not functions:
            return
        allowed = {action for function in functions for action in list_allowed(function)}
        denied = [each for each in _iter_actions(model.name, params) if each not in allowed]
        if denied:
            self._denied += denied
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, model.name)


@cache
def list_allowed(function: str) -> frozenset[Action]:
    """Return the actions on DynamoDB, S3 and KMS that the role of a function allows."""
    (policy,) = join_template()["Resources"][f"{function}Role"]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    return frozenset(action for each in statements for action in _iter_allowed(each))


def _iter_allowed(statement: Mapping[str, Any]) -> Iterator[Action]:
    for action in as_list(statement.get("Action", [])):
        if action == "kms:Decrypt":
            purposes = as_list(statement["Condition"]["StringEquals"][_PURPOSE])
            yield from ((action, purpose) for purpose in purposes)
        elif action.startswith(("dynamodb:", "s3:")):
            yield from ((action, _get_name(each)) for each in as_list(statement["Resource"]))


def _get_name(resource: Any) -> str:
    """Return the logical id of a table or a bucket, with the index if it is one."""
    if isinstance(resource, str):
        return resource
    if "Fn::GetAtt" in resource:
        return str(resource["Fn::GetAtt"][0])
    return str(resource["Fn::Sub"]).replace("${", "").replace(".Arn}", "").removesuffix("/captures/*")


def _iter_actions(operation: str, params: Mapping[str, Any]) -> Iterator[Action]:
    """Yield the actions that a request needs. The name of a table is its logical id; a bucket's begins it."""
    if operation == "Decrypt":
        yield "kms:Decrypt", params["EncryptionContext"]["daftar:purpose"]
    elif operation == "TransactWriteItems":
        for member in params["TransactItems"]:
            ((name, request),) = member.items()
            action = "ConditionCheckItem" if name == "ConditionCheck" else f"{name}Item"
            yield f"dynamodb:{action}", request["TableName"]
    elif operation == "BatchGetItem":
        yield from (("dynamodb:BatchGetItem", table) for table in params["RequestItems"])
    elif "Bucket" in params:
        action = "ListBucket" if operation == "ListObjectsV2" else operation
        yield f"s3:{action}", f"{params['Bucket'].title()}Bucket"
    elif "TableName" in params:
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        yield f"dynamodb:{operation}", f"{params['TableName']}{index}"
