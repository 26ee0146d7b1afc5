"""The zip, unpacked as Lambda unpacks it, and what AWS ships beside it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from ops.deploy.packaging import package_app
from ops.project import REGION
from tests.support.emulator_harness import EmulatorHarness, run_harness
from tests.support.lambda_runtime import LocalFunction, link_runtime, run_function
from tests.support.moto_tables import STAGE_ENVIRONMENT

StartFunction = Callable[..., LocalFunction]

# Where nobody listens: a function that asks AWS for anything is refused at once.
_CLOSED_PORT_URL = "http://127.0.0.1:9"


@pytest.fixture(scope="session")
def unpacked_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our zip, unpacked."""
    directory = tmp_path_factory.mktemp("task")
    with ZipFile(package_app("local", tmp_path_factory.mktemp("package")).archive) as archive:
        archive.extractall(directory)
    return directory


@pytest.fixture(scope="session")
def lambda_runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What AWS ships beside every zip."""
    return link_runtime(tmp_path_factory.mktemp("aws") / "runtime")


@pytest.fixture
def offline_environment() -> Mapping[str, str]:
    """The environment of a stage that nothing answers in."""
    return {
        **STAGE_ENVIRONMENT,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": _CLOSED_PORT_URL,
    }


@pytest.fixture(scope="session")
def emulator_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorHarness]:
    """Our tables, queue and keys in the embedded AWS, and the fake-sms."""
    with run_harness(tmp_path_factory.mktemp("stage") / "home") as emulator_stage:
        yield emulator_stage


@pytest.fixture
def start_function(unpacked_zip: Path, lambda_runtime: Path, tmp_path: Path) -> Iterator[StartFunction]:
    """Starts a function of the zip, or of another directory, alone; it is stopped at the end of the test."""
    with ExitStack() as started:

        def start_function(
            handler: str, environment: Mapping[str, str], *, unpacked_zip: Path = unpacked_zip
        ) -> LocalFunction:
            log = tmp_path / f"{handler}.log"
            return started.enter_context(
                run_function(unpacked_zip, handler, runtime=lambda_runtime, environment=environment, log=log)
            )

        yield start_function


def make_token_event(authorization: str) -> dict[str, Any]:
    """What API Gateway asks the authorizer."""
    method = "arn:aws:execute-api:ap-southeast-3:000000000000:alone/api/POST/v1/registrations"
    return {"type": "TOKEN", "authorizationToken": authorization, "methodArn": method}
