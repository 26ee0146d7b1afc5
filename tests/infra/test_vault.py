"""The vault: an option of the stage, for copies that nobody can delete."""

from datetime import timedelta

from chalicelib.data_requests import store
from infra.template import load_parameters
from tests.support.template import PackagedTemplate, resolve_logical_id

ONE_DAY = timedelta(days=1)


def test_the_vault_is_an_option_that_is_off(template: PackagedTemplate) -> None:
    assert load_parameters()["LockedVault"]["Default"] == "false"
    made = {name for name, each in template.resources.items() if each.get("Condition") == "VaultIsWanted"}
    assert made == {"Vault", "VaultPlan", "VaultRole", "VaultSelection"}


def test_every_table_is_copied(template: PackagedTemplate) -> None:
    [selection] = template.find_resources("AWS::Backup::BackupSelection").values()
    copied = {resolve_logical_id(each) for each in selection["BackupSelection"]["Resources"]}
    assert copied == set(template.tables)
    granted = {grant.resource for grant in template.iter_grants("VaultRole")} - {"Vault.BackupVaultArn"}
    assert granted == {f"{name}.Arn" for name in template.tables}


def test_a_copy_cannot_be_deleted_before_its_time_and_the_vault_outlives_the_stack(
    template: PackagedTemplate,
) -> None:
    vault = template.resources["Vault"]
    assert (vault["DeletionPolicy"], vault["UpdateReplacePolicy"]) == ("Retain", "Retain")
    lock = vault["Properties"]["LockConfiguration"]
    days = {"Ref": "VaultDays"}
    assert (lock["MinRetentionDays"], lock["MaxRetentionDays"]) == (days, days)
    # Without this, whoever may change the vault may take the lock off.
    assert lock["ChangeableForDays"] == 3
    [plan] = template.find_resources("AWS::Backup::BackupPlan").values()
    [rule] = plan["BackupPlan"]["BackupPlanRule"]
    assert rule["Lifecycle"] == {"DeleteAfterDays": days}
    # A key of our own could be deleted by an attacker, and every copy with it.
    assert "EncryptionKeyArn" not in vault["Properties"]


def test_an_erasure_is_remembered_for_longer_than_any_copy_is_kept() -> None:
    assert load_parameters()["VaultDays"]["MaxValue"] * ONE_DAY < store.LOG_RETENTION
