"""The roles of the functions, for the app in process: what a role does not allow is refused, as on AWS.

moto asks for no permission. Actions of DynamoDB are compared with the tables and indexes that a role names
and its conditions on keys and attributes, those of S3 with its buckets, those of KMS with the purposes of
keys. Other services are left to the e2e tests.
"""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
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
_KEYS, _ATTRIBUTES = "dynamodb:LeadingKeys", "dynamodb:Attributes"
_NAME_IN_EXPRESSION = re.compile(r"(?<![:\w])#?[a-z]\w*\b(?!\s*\()")


@dataclass(frozen=True)
class Access:
    """One access of a request: the action, the key of the item, and the attributes that it names."""

    action: Action
    key: str | None = None
    attributes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Permission:
    """One action that a statement allows, and the only keys and attributes, or None for all of them."""

    action: Action
    keys: tuple[str, ...] | None = None
    attributes: frozenset[str] | None = None

    def covers(self, access: Access) -> bool:
        """Return True if it allows this access."""
        return (
            self.action == access.action
            and (self.keys is None or any(fnmatchcase(access.key or "", each) for each in self.keys))
            and (self.attributes is None or access.attributes <= self.attributes)
        )


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
        allowed = [permission for function in functions for permission in list_permissions(function)]
        denied = [
            access.action
            for access in _iter_accesses(model.name, params)
            if not any(permission.covers(access) for permission in allowed)
        ]
        if denied:
            self._denied += denied
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, model.name)


@cache
def list_permissions(function: str) -> frozenset[Permission]:
    """Return what the role of a function allows on DynamoDB, S3 and KMS."""
    (policy,) = join_template()["Resources"][f"{function}Role"]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    return frozenset(permission for each in statements for permission in _iter_permissions(each))


def _iter_permissions(statement: Mapping[str, Any]) -> Iterator[Permission]:
    conditions = {
        name: as_list(value)
        for operator in statement.get("Condition", {}).values()
        for name, value in operator.items()
    }
    keys, attributes = conditions.get(_KEYS), conditions.get(_ATTRIBUTES)
    for action in as_list(statement.get("Action", [])):
        if action == "kms:Decrypt":
            yield from (Permission((action, purpose)) for purpose in conditions[_PURPOSE])
        elif action.startswith(("dynamodb:", "s3:")):
            for each in as_list(statement["Resource"]):
                yield Permission(
                    (action, _get_name(each)),
                    None if keys is None else tuple(keys),
                    None if attributes is None else frozenset(attributes),
                )


def _get_name(resource: Any) -> str:
    """Return the logical id of a table or a bucket, with the index if it is one."""
    if isinstance(resource, str):
        return resource
    if "Fn::GetAtt" in resource:
        return str(resource["Fn::GetAtt"][0])
    return str(resource["Fn::Sub"]).replace("${", "").replace(".Arn}", "").removesuffix("/captures/*")


def _iter_accesses(operation: str, params: Mapping[str, Any]) -> Iterator[Access]:
    """Yield what a request asks for. The name of a table is its logical id; a bucket's begins it."""
    if operation == "Decrypt":
        yield Access(("kms:Decrypt", params["EncryptionContext"]["daftar:purpose"]))
    elif operation == "TransactWriteItems":
        for member in params["TransactItems"]:
            ((name, request),) = member.items()
            action = "ConditionCheckItem" if name == "ConditionCheck" else f"{name}Item"
            yield _make_item_access(action, request["TableName"], request)
    elif operation == "BatchGetItem":
        for table, request in params["RequestItems"].items():
            yield from (_make_item_access(operation, table, {"Key": key}) for key in request["Keys"])
    elif "Bucket" in params:
        action = "ListBucket" if operation == "ListObjectsV2" else operation
        yield Access((f"s3:{action}", f"{params['Bucket'].title()}Bucket"))
    elif "TableName" in params:
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        yield _make_item_access(operation, f"{params['TableName']}{index}", params)


def _make_item_access(action: str, table: str, request: Mapping[str, Any]) -> Access:
    item, names = request.get("Key") or request.get("Item") or {}, request.get("ExpressionAttributeNames", {})
    expressions = " ".join(request.get(f"{each}Expression", "") for each in ("Update", "Condition"))
    attributes = {names.get(name, name) for name in _NAME_IN_EXPRESSION.findall(expressions)}
    key = item.get(_find_key_name(table), {}).get("S")
    return Access((f"dynamodb:{action}", table), key, frozenset({*item, *attributes}))


@cache
def _find_key_name(table: str) -> str:
    """Return the attribute that is the partition key of a table, which may be named with an index."""
    properties = join_template()["Resources"][table.partition("/")[0]]["Properties"]
    hash_keys = (each["AttributeName"] for each in properties["KeySchema"] if each["KeyType"] == "HASH")
    return str(next(hash_keys))
