"""`daftar rollback`: all functions go back to one release, and no further by mistake."""

import io
import json
from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from zipfile import ZipFile, ZipInfo

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner, Result
from moto import mock_aws

from infra.functions import ALIAS
from infra.template import list_functions
from ops.cli import main
from ops.deploy.stages import StackOutputs, Stage
from ops.deploy.versions import StageVersions, find_rolled_back
from ops.project import REGION
from tests.ops.command_lines import run_daftar

STACK = "daftar-try"


def make_zip(release: str) -> bytes:
    archive = io.BytesIO()
    with ZipFile(archive, "w") as zip_file:
        zip_file.writestr(ZipInfo("app.py"), f"RELEASE = {release!r}")
    return archive.getvalue()


class Account:
    """An account with the functions of a stage, as CloudFormation leaves them."""

    def __init__(self) -> None:
        self.session: Any = boto3.Session("test", "test", region_name=REGION)
        self.functions = self.session.client("lambda")
        role = self.session.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"][
            "Arn"
        ]
        for name in list_functions():
            self.functions.create_function(
                FunctionName=f"{STACK}-{name}",
                Runtime="python3.13",
                Role=role,
                Handler="app.app",
                Code={"ZipFile": make_zip("0")},
            )
            self.functions.create_alias(FunctionName=f"{STACK}-{name}", Name=ALIAS, FunctionVersion="$LATEST")

    def release(self, release: str, *names: str, item_format: int = 1) -> None:
        """Publish a zip as a version of some functions, or of all, and make it live."""
        for name in names or list_functions():
            function = f"{STACK}-{name}"
            self.functions.update_function_code(FunctionName=function, ZipFile=make_zip(release))
            version = self.functions.publish_version(
                FunctionName=function, Description=f"item format {item_format}"
            )["Version"]
            self.functions.update_alias(FunctionName=function, Name=ALIAS, FunctionVersion=version)

    def make_stage(self, stack_status: str = "UPDATE_COMPLETE") -> Stage:
        outputs = {f"{name}Name": f"{STACK}-{name}" for name in list_functions()}
        self.cloudformation = self.session.client("cloudformation")
        self.stubber = Stubber(self.cloudformation)
        stack = {"StackName": STACK, "StackStatus": stack_status, "CreationTime": "2026-11-29"}
        self.stubber.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": STACK})
        self.stubber.activate()
        known = {"cloudformation": self.cloudformation}
        return Stage(
            STACK,
            StackOutputs(STACK, outputs),
            lambda service: known.get(service) or self.session.client(service),
            is_local=True,
        )

    def read_live(self) -> dict[str, str]:
        return {
            name: self.functions.get_alias(FunctionName=f"{STACK}-{name}", Name=ALIAS)["FunctionVersion"]
            for name in list_functions()
        }


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield Account()


def roll_back(account: Account, *options: str) -> Result:
    return run_daftar("rollback", *options, obj=account.make_stage())


def test_every_function_goes_back_to_the_release_before(account: Account) -> None:
    account.release("1")
    account.release("2")
    result = roll_back(account, "--json")
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["result"]["moved"]) == len(list_functions())
    assert account.read_live() == dict.fromkeys(list_functions(), "1")


def test_a_release_that_changed_one_function_only_is_skipped_if_its_zip_is_the_same(account: Account) -> None:
    account.release("1")
    account.release("2")
    # A setting of one function: a version more, and the same code.
    account.functions.update_function_configuration(FunctionName=f"{STACK}-APIHandler", MemorySize=2000)
    version = account.functions.publish_version(FunctionName=f"{STACK}-APIHandler")["Version"]
    account.functions.update_alias(FunctionName=f"{STACK}-APIHandler", Name=ALIAS, FunctionVersion=version)
    assert roll_back(account).exit_code == 0
    assert account.read_live() == dict.fromkeys(list_functions(), "1")


def test_a_function_that_the_older_release_did_not_have_stays(account: Account) -> None:
    account.release("1", *(name for name in list_functions() if name != "ExportDays"))
    account.release("2")
    before = account.read_live()
    assert roll_back(account).exit_code == 0
    after = account.read_live()
    assert [name for name in before if before[name] == after[name]] == ["ExportDays"]


def name_release(release: str) -> dict[str, Any]:
    """Return the template of a release, as far as it names the code of the functions."""
    digest = sha256(make_zip(release)).hexdigest()
    function = {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": f"s3://b/{digest}.zip"}}
    return {"Resources": dict.fromkeys(list_functions(), function)}


def test_functions_that_were_rolled_back_do_not_run_the_release_that_is_deployed(account: Account) -> None:
    account.release("1", *(name for name in list_functions() if name != "ExportDays"))
    account.release("2")
    assert find_rolled_back(account.make_stage(), name_release("2")) == set()

    assert roll_back(account).exit_code == 0

    assert find_rolled_back(account.make_stage(), name_release("2")) == {*list_functions()} - {"ExportDays"}


def test_a_second_rollback_must_be_asked_for(account: Account) -> None:
    for release in "123":
        account.release(release)
    assert roll_back(account).exit_code == 0
    again = roll_back(account, "--json")
    assert again.exit_code == 1
    assert json.loads(again.stdout)["error"]["code"] == "no_older_release"
    assert account.read_live() == dict.fromkeys(list_functions(), "2")
    assert roll_back(account, "--further").exit_code == 0
    assert account.read_live() == dict.fromkeys(list_functions(), "1")


@pytest.mark.parametrize(("newest", "status"), [(1, 0), (2, 0), (3, 1)])
def test_a_release_that_cannot_read_what_is_stored_is_refused(
    account: Account, newest: int, status: int
) -> None:
    account.release("1", item_format=1)
    account.release("2", item_format=newest)
    assert roll_back(account).exit_code == status
    assert set(account.read_live().values()) == ({"1"} if status == 0 else {"2"})


def test_the_first_release_has_none_before_it(account: Account) -> None:
    account.release("1")
    result = roll_back(account)
    assert (result.exit_code, "no older release" in result.output) == (1, True)


def test_nothing_moves_without_consent(account: Account) -> None:
    account.release("1")
    account.release("2")
    result = CliRunner().invoke(main, ["rollback"], obj=account.make_stage(), input="n\n")
    assert (result.exit_code, "version 2 -> 1" in result.output) == (1, True)
    assert account.read_live() == dict.fromkeys(list_functions(), "2")


def test_a_deployment_that_is_under_way_is_undone_instead(account: Account) -> None:
    account.release("1")
    stage = account.make_stage("UPDATE_IN_PROGRESS")
    account.stubber.add_response("cancel_update_stack", {}, {"StackName": STACK})
    result = run_daftar("rollback", "--json", obj=stage)
    assert json.loads(result.stdout)["result"] == {"cancelled": True, "moved": []}
    account.stubber.assert_no_pending_responses()
    assert account.read_live() == dict.fromkeys(list_functions(), "1")


def test_the_next_deployment_of_the_same_zip_goes_forward_again(account: Account) -> None:
    account.release("1")
    account.release("2")
    live = account.functions.get_function_configuration(FunctionName=f"{STACK}-APIHandler", Qualifier=ALIAS)
    newest = StageVersions(account.make_stage()).functions[0].versions[-1]
    assert newest.code == live["CodeSha256"]
    assert roll_back(account).exit_code == 0
    versions = StageVersions(account.make_stage())
    digest = b64decode(newest.code).hex()
    versions.move(versions.plan_release(digest))
    assert account.read_live() == dict.fromkeys(list_functions(), "2")
    assert StageVersions(account.make_stage()).plan_release(digest) == []


def test_versions_of_long_ago_are_removed_and_the_live_one_never(account: Account) -> None:
    for release in "12345":
        account.release(release)
    account.functions.update_alias(FunctionName=f"{STACK}-ExportDays", Name=ALIAS, FunctionVersion="1")
    assert StageVersions(account.make_stage()).remove_old() == 2 * len(list_functions()) - 1
    kept = {
        each.logical_id: [v.number for v in each.versions]
        for each in StageVersions(account.make_stage()).functions
    }
    assert kept == {name: [1, 3, 4, 5] if name == "ExportDays" else [3, 4, 5] for name in list_functions()}
