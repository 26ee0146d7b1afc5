"""What each function may do, tried with its own role's rights; IAM is enforced on every stack of these tests.

The rest of the suite shows that each may do what it needs. What the emulator lacks, IAM's simulator judges.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from chalicelib.crypto.keyring import FIELD_PURPOSE, HASH_PURPOSE
from tests.e2e.stack_1.function_rights import INDEXES, KEY_NAMES, MAY, QUEUES, TABLES
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

# Services do not agree on the word.
_DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}

Acts = dict[str, Callable[[], object]]


class Probe:
    """Tries acts with the rights of one function. Whatever is allowed changes nothing that anybody reads."""

    def __init__(self, stack: RunningStack, function: str) -> None:
        self._stack = stack
        role = stack.aws_client("lambda").get_function(
            FunctionName=stack.description.outputs[f"{function}Name"]
        )
        # On AWS only Lambda may take on this role; the emulator lets its root user, too.
        session = stack.aws_client("sts").assume_role(
            RoleArn=role["Configuration"]["Role"], RoleSessionName="probe"
        )["Credentials"]
        self._session = boto3.Session(
            session["AccessKeyId"],
            session["SecretAccessKey"],
            session["SessionToken"],
            stack.description.region,
        )

    def allowed(self) -> set[str]:
        """The acts that were not denied."""
        acts = {**self._on_tables(), **self._on_queues(), **self._on_keys(), **self._on_objects()}
        acts |= {**self._on_mails(), **self._elsewhere()}
        return {act for act, attempt in acts.items() if not is_denied(attempt)}

    def _client(self, service: str) -> Any:
        return self._session.client(  # type: ignore[call-overload]
            service, endpoint_url=self._stack.description.aws_endpoint_url
        )

    def _name(self, table: str) -> str:
        return self._stack.description.outputs[f"{table}Name"]

    def _on_tables(self) -> Acts:
        dynamodb = self._client("dynamodb")
        acts: Acts = {}
        for table in TABLES:
            acts |= _on_table(dynamodb, table, self._name(table))
        for index, key in INDEXES.items():
            table, _, name = index.partition("/")
            acts[f"Query {index}"] = _querying(dynamodb, self._name(table), key, IndexName=name)
        return acts

    def _on_queues(self) -> Acts:
        sqs, outputs = self._client("sqs"), self._stack.description.outputs
        acts: Acts = {}
        for queue in QUEUES:
            url = outputs[f"{queue}Url"]
            acts[f"SendMessage {queue}"] = _sending(sqs, url)
            acts[f"ReceiveMessage {queue}"] = _receiving(sqs, url)
            acts[f"PurgeQueue {queue}"] = _purging(sqs, url)
        return acts

    def _on_keys(self) -> Acts:
        kms, key = self._client("kms"), self._stack.description.outputs["FieldKeyArn"]
        return {
            "Decrypt FieldKey for nothing": _decrypting(kms, key, {}),
            **{
                f"Decrypt FieldKey for {purpose}": _decrypting(kms, key, {"daftar:purpose": purpose})
                for purpose in (FIELD_PURPOSE, HASH_PURPOSE, "anything")
            },
            "Encrypt FieldKey": lambda: kms.encrypt(KeyId=key, Plaintext=b"x"),
            "GenerateDataKey FieldKey": lambda: kms.generate_data_key(KeyId=key, KeySpec="AES_256"),
            "DisableKey FieldKey": lambda: kms.disable_key(KeyId=key),
        }

    def _on_objects(self) -> Acts:
        s3, bucket = self._client("s3"), self._stack.description.outputs["ExportsBucketName"]
        acts: Acts = {"ListObjects ExportsBucket": lambda: s3.list_objects_v2(Bucket=bucket, MaxKeys=1)}
        for prefix in ("captures", "elsewhere"):
            of_nobody = {"Bucket": bucket, "Key": f"{prefix}/campaign=of-nobody/probe"}
            acts |= {
                f"GetObject ExportsBucket/{prefix}": partial(s3.get_object, **of_nobody),
                f"PutObject ExportsBucket/{prefix}": partial(s3.put_object, **of_nobody),
                f"DeleteObject ExportsBucket/{prefix}": partial(s3.delete_object, **of_nobody),
            }
        return acts

    def _on_mails(self) -> Acts:
        ses = self._client("sesv2")
        words = {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}
        return {
            f"SendEmail from {who}": partial(
                ses.send_email,
                FromEmailAddress=address,
                Destination={"ToAddresses": ["nobody@example.com"]},
                Content={"Simple": words},
            )
            for who, address in {"us": "laporan@daftar.example", "another": "x@daftar.example"}.items()
        }

    def _elsewhere(self) -> Acts:
        outputs = self._stack.description.outputs
        return {
            "Invoke APIHandler": lambda: self._client("lambda").invoke(
                FunctionName=outputs["APIHandlerName"]
            ),
            "Publish AlarmTopic": lambda: self._client("sns").publish(
                TopicArn=outputs["AlarmTopicArn"], Message="x"
            ),
            "ListBuckets": lambda: self._client("s3").list_buckets(),
            "ListUsers": lambda: self._client("iam").list_users(),
            "ListStacks": lambda: self._client("cloudformation").list_stacks(),
            "ListSecrets": lambda: self._client("secretsmanager").list_secrets(),
        }


def _on_table(dynamodb: Any, table: str, name: str) -> Acts:
    key = {name: {"S": "x"} for name in KEY_NAMES.get(table, ("pk", "sk"))}
    first = next(iter(key))
    # No item has this key, so every allowed write fails its condition.
    only_if = {"ConditionExpression": f"attribute_exists({first})"}
    return {
        f"GetItem {table}": lambda: dynamodb.get_item(TableName=name, Key=key),
        f"PutItem {table}": lambda: dynamodb.put_item(TableName=name, Item=key, **only_if),
        f"UpdateItem {table}": lambda: dynamodb.update_item(TableName=name, Key=key, **only_if),
        f"DeleteItem {table}": lambda: dynamodb.delete_item(TableName=name, Key=key, **only_if),
        f"ConditionCheckItem {table}": lambda: dynamodb.transact_write_items(
            TransactItems=[{"ConditionCheck": {"TableName": name, "Key": key, **only_if}}]
        ),
        f"Query {table}": _querying(dynamodb, name, first),
        f"Scan {table}": lambda: dynamodb.scan(TableName=name, Limit=1),
        f"DeleteTable {table}": lambda: dynamodb.delete_table(TableName=f"{name}-of-nobody"),
    }


def _querying(dynamodb: Any, table: str, key: str, **index: str) -> Callable[[], object]:
    return lambda: dynamodb.query(
        TableName=table,
        KeyConditionExpression="#key = :nobody",
        ExpressionAttributeNames={"#key": key},
        ExpressionAttributeValues={":nobody": {"S": "x"}},
        **index,
    )


def _decrypting(kms: Any, key: str, context: dict[str, str]) -> Callable[[], object]:
    return lambda: kms.decrypt(KeyId=key, CiphertextBlob=b"nothing we ever sealed", EncryptionContext=context)


def _sending(sqs: Any, url: str) -> Callable[[], object]:
    # Too long for any queue: what is allowed is refused for its length, and nothing is sent.
    return lambda: sqs.send_message(QueueUrl=url, MessageBody="x" * 1_100_000)


def _receiving(sqs: Any, url: str) -> Callable[[], object]:
    return lambda: sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)


def _purging(sqs: Any, url: str) -> Callable[[], object]:
    return lambda: sqs.purge_queue(QueueUrl=f"{url}-of-nobody")


def is_denied(attempt: Callable[[], object]) -> bool:
    """Whether IAM said no; any other error came after IAM had said yes."""
    try:
        attempt()
    except ClientError as error:
        return error.response["Error"]["Code"] in _DENIED
    return False


@pytest.mark.parametrize("function", MAY)
def test_a_function_may_do_what_it_does_and_nothing_else(stack: RunningStack, function: Any) -> None:
    assert Probe(stack, function).allowed() == MAY[function]


@pytest.mark.parametrize("function", MAY)
def test_a_function_is_refused_what_another_one_needs(stack: RunningStack, function: Any) -> None:
    needed_by_others = set().union(*MAY.values()) - MAY[function]

    assert needed_by_others
    assert not needed_by_others & Probe(stack, function).allowed()


def simulated(stack: RunningStack, function: str, action: str, resource: str) -> bool:
    """Whether the policies of a function's role allow an action on a resource."""
    found = stack.aws_client("lambda").get_function(FunctionName=stack.description.outputs[f"{function}Name"])
    (result,) = stack.aws_client("iam").simulate_principal_policy(
        PolicySourceArn=found["Configuration"]["Role"], ActionNames=[action], ResourceArns=[resource]
    )["EvaluationResults"]
    return bool(result["EvalDecision"] == "allowed")


@pytest.mark.parametrize("function", MAY)
def test_only_senders_may_send_an_sms_and_only_with_our_sender_id(stack: RunningStack, function: Any) -> None:
    senders = f"arn:aws:sms-voice:{stack.description.region}:000000000000:sender-id"

    ours = simulated(stack, function, "sms-voice:SendTextMessage", f"{senders}/BPJAMSOSTEK/ID")
    anothers = simulated(stack, function, "sms-voice:SendTextMessage", f"{senders}/BANK/ID")

    assert (ours, anothers) == (function in {"OnNotifications", "DeliverReports"}, False)


@pytest.mark.parametrize("function", MAY)
def test_a_function_writes_its_own_log_and_no_other(stack: RunningStack, function: Any) -> None:
    group = f"arn:aws:logs:{stack.description.region}:000000000000:log-group:/aws/lambda/daftar-local-"

    writes = {
        other
        for other in MAY
        if simulated(stack, function, "logs:PutLogEvents", f"{group}{other}:log-stream:any")
    }

    assert writes == {function}
