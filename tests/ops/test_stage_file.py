"""`deploy.toml`: a stage's region, account and parameters, and what is refused."""

from pathlib import Path

import pytest

from ops.deploy.stage_file import StageConfig, StageFileInvalid, read_stage_config

PRODUCTION = """
[stages.prod]
account = "123456789012"

[stages.prod.parameters]
Stage = "prod"
AlarmEmail = "oncall@example.org"
MailFrom = "laporan@example.org"
MailIdentity = "example.org"
"""


def write(directory: Path, text: str) -> Path:
    file = directory / "deploy.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_stage_without_a_file_gets_the_defaults(tmp_path: Path) -> None:
    config = read_stage_config("try", tmp_path / "deploy.toml")
    assert config == StageConfig("try")
    assert (config.stack_name, config.kind, config.region) == ("daftar-try", "dev", "ap-southeast-3")
    assert config.get_bucket("123456789012") == "daftar-try-artefacts-123456789012-ap-southeast-3"


def test_a_stage_has_its_own_region_account_bucket_and_parameters(tmp_path: Path) -> None:
    text = """
    [stages.try]
    region = "ap-southeast-1"
    bucket = "contoh-artefak"
    [stages.try.parameters]
    SmsPartsASecond = 5
    DeletionProtection = false
    """
    config = read_stage_config("try", write(tmp_path, text))
    assert (config.region, config.get_bucket("123456789012")) == ("ap-southeast-1", "contoh-artefak")
    assert config.parameters == {"SmsPartsASecond": "5", "DeletionProtection": "false"}


def test_production_is_complete_or_refused(tmp_path: Path) -> None:
    assert read_stage_config("prod", write(tmp_path, PRODUCTION)).kind == "prod"
    for line in PRODUCTION.splitlines()[-3:]:
        name = line.split()[0]
        with pytest.raises(StageFileInvalid, match=f"production needs {name}"):
            read_stage_config("prod", write(tmp_path, PRODUCTION.replace(line, "")))
    with pytest.raises(StageFileInvalid, match="production needs AlarmEmail"):
        read_stage_config("prod", tmp_path / "missing.toml")


def test_a_second_stage_of_production_is_not_taken_for_a_trial(tmp_path: Path) -> None:
    for text in ("", PRODUCTION.replace("stages.prod", "stages.prod-2").replace('Stage = "prod"', "")):
        with pytest.raises(StageFileInvalid, match="it needs Stage: prod if it is production, else dev"):
            read_stage_config("prod-2", write(tmp_path, text))

    assert read_stage_config("prod-2", write(tmp_path, PRODUCTION.replace("stages.prod", "stages.prod-2")))
    trial = write(tmp_path, '[stages.prod-trial.parameters]\nStage = "dev"\n')
    assert read_stage_config("prod-trial", trial).kind == "dev"


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ('Colour = "red"', "there is no parameter Colour"),
        ('Stage = "local"', "belongs to the local stack"),
        ('Stage = "staging"', "Stage is one of local, dev, prod, not 'staging'"),
        ("QuietFrom = 24", "QuietFrom is a whole number from 0 to 23, not '24'"),
        ('QuietFrom = "evening"', "QuietFrom is a whole number"),
        ('SmsOriginationIdentity = "BPJS Ketenagakerjaan"', "SmsOriginationIdentity is something like"),
        ('SmsConfigurationSet = "mine"', "set by `daftar deploy` itself"),
        ('Stage = "prod"\nDeletionProtection = false', "DeletionProtection is true in production"),
    ],
)
def test_a_parameter_that_the_template_would_refuse_is_named(tmp_path: Path, lines: str, fault: str) -> None:
    with pytest.raises(StageFileInvalid, match=fault):
        read_stage_config("try", write(tmp_path, f"[stages.try.parameters]\n{lines}\n"))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[stages.try\n", "is not TOML"),
        ("stages = 3\n", "not a table"),
        ("[stages]\ntry = 3\n", "it is not a table"),
        ('[stages.try]\nregoin = "ap-southeast-3"\n', "`regoin` is not a field"),
        ("[stages.try]\naccount = 123456789012\n", "`account` is not a text"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(StageFileInvalid, match=fault):
        read_stage_config("try", write(tmp_path, text))


@pytest.mark.parametrize("name", ["", "Prod", "../x", "a" * 32, "1st"])
def test_the_name_of_a_stage_fits_into_the_names_of_what_it_makes(tmp_path: Path, name: str) -> None:
    with pytest.raises(StageFileInvalid, match="lower-case"):
        read_stage_config(name, tmp_path / "deploy.toml")


def test_a_name_that_is_too_long_for_the_bucket_needs_one_of_its_own(tmp_path: Path) -> None:
    longest, too_long = "a" * 18, "a" * 19
    assert len(read_stage_config(longest, tmp_path / "none").get_bucket("1" * 12)) == 63
    with pytest.raises(StageFileInvalid, match="its bucket would have 64 characters of 63"):
        read_stage_config(too_long, tmp_path / "none")
    file = write(tmp_path, f'[stages.{too_long}]\nbucket = "contoh-artefak"\n')
    assert read_stage_config(too_long, file).get_bucket("1" * 12) == "contoh-artefak"
