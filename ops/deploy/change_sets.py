"""Change sets of CloudFormation: what an update would do, in plain words, before it is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError, WaiterError

from ops.deploy.cloudformation import (
    CAPABILITIES,
    PREPARED_STATUS,
    WAIT,
    DeploymentFailed,
    await_stack,
    read_stack_status,
    to_parameter_list,
)

# A resource of these types holds data that is not in any other place.
_PUBLISHED_TYPES = {"AWS::Lambda::Alias", "AWS::Lambda::Version"}
_DATA_TYPES = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Logs::LogGroup"}


@dataclass(frozen=True)
class Change:
    """One resource that an update adds, changes, replaces or removes. `causes` are the properties.

    A derived change follows from another: CloudFormation cannot exclude it beforehand, because the resource
    refers to one that changes, or it is the version that a changed function publishes, and its alias.
    """

    action: str
    logical_id: str
    resource_type: str
    causes: Sequence[str] = ()
    is_derived: bool = False

    @property
    def kind(self) -> str:
        """Return the type of the resource without its first part, which all types share."""
        return self.resource_type.removeprefix("AWS::")

    @property
    def is_destructive(self) -> bool:
        """Return True if data of the resource may be lost."""
        return self.action in {"remove", "replace"} and self.resource_type in _DATA_TYPES

    def __str__(self) -> str:
        causes = f" ({', '.join(self.causes)})" if self.causes else ""
        return f"{self.action} {self.logical_id}, {self.kind}{causes}"


@dataclass(frozen=True)
class ChangeSet:
    """An update that CloudFormation has prepared and not done."""

    stack_name: str
    arn: str
    is_new_stack: bool
    changes: Sequence[Change]


def prepare_change_set(
    cloudformation: Any, stack_name: str, template_url: str, parameters: Mapping[str, str]
) -> ChangeSet | None:
    """Have CloudFormation prepare an update. Return None if nothing would change. Raise DeploymentFailed."""
    status = read_stack_status(cloudformation, stack_name)
    is_new = status in {None, PREPARED_STATUS}
    try:
        arn = cloudformation.create_change_set(
            StackName=stack_name,
            ChangeSetName=f"daftar-{uuid4().hex}",
            ChangeSetType="CREATE" if is_new else "UPDATE",
            TemplateURL=template_url,
            Parameters=to_parameter_list(parameters),
            Capabilities=CAPABILITIES,
        )["Id"]
    except ClientError as error:
        raise DeploymentFailed(str(error)) from error
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(ChangeSetName=arn, WaiterConfig=WAIT)
    except WaiterError:
        found = cloudformation.describe_change_set(ChangeSetName=arn)
        reason = found.get("StatusReason", "no reason given")
        cloudformation.delete_change_set(ChangeSetName=arn)
        if "didn't contain changes" in reason or "No updates are to be performed" in reason:
            return None
        raise DeploymentFailed(f"CloudFormation refused the template: {reason}") from None
    changes = _read_changes(cloudformation, arn)
    if not changes and not is_new:
        cloudformation.delete_change_set(ChangeSetName=arn)
        return None
    return ChangeSet(stack_name, arn, is_new, changes)


def discard_change_set(cloudformation: Any, change_set: ChangeSet) -> None:
    """Remove a change set that nobody wants, and with it a stack that it would have created.

    Another deployment may have created the stack meanwhile.
    """
    cloudformation.delete_change_set(ChangeSetName=change_set.arn)
    if read_stack_status(cloudformation, change_set.stack_name) == PREPARED_STATUS:
        cloudformation.delete_stack(StackName=change_set.stack_name)


def execute_change_set(cloudformation: Any, change_set: ChangeSet) -> None:
    """Do the update, and wait for its end. Raise DeploymentFailed, naming each resource that failed."""
    try:
        cloudformation.execute_change_set(ChangeSetName=change_set.arn)
    except cloudformation.exceptions.InvalidChangeSetStatusException:
        raise DeploymentFailed(
            f"another deployment has changed {change_set.stack_name} meanwhile: deploy again"
        ) from None
    await_stack(cloudformation, change_set.stack_name, is_new=change_set.is_new_stack)


def _read_changes(cloudformation: Any, arn: str) -> list[Change]:
    changes: list[Change] = []
    request: dict[str, Any] = {"ChangeSetName": arn}
    while True:
        page = cloudformation.describe_change_set(**request)
        changes += [_parse(each["ResourceChange"]) for each in page["Changes"] if "ResourceChange" in each]
        if "NextToken" not in page:
            return sorted(changes, key=lambda each: (not each.is_destructive, each.action, each.logical_id))
        request["NextToken"] = page["NextToken"]


def _parse(change: Mapping[str, Any]) -> Change:
    action = change["Action"].lower()
    if action == "modify":
        action = {"True": "replace", "Conditional": "perhaps replace"}.get(
            str(change.get("Replacement")), "change"
        )
    details = change.get("Details", [])
    names = [target.get("Name") or target["Attribute"] for detail in details for target in [detail["Target"]]]
    is_dynamic = bool(details) and all(detail.get("Evaluation") == "Dynamic" for detail in details)
    is_derived = is_dynamic or change["ResourceType"] in _PUBLISHED_TYPES
    return Change(
        action, change["LogicalResourceId"], change["ResourceType"], tuple(dict.fromkeys(names)), is_derived
    )
