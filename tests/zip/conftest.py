"""The zip, unpacked as Lambda unpacks it, and the packages that AWS ships beside it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from zipfile import ZipFile

import pytest

from ops.deploy.packaging import package_app
from ops.project import REGION
from tests.support.emulator_harness import EmulatorHarness, run_harness
from tests.support.lambda_runtime import LocalFunction, link_runtime, run_function
from tests.support.moto_tables import STAGE_ENVIRONMENT

StartFunction = Callable[..., LocalFunction]

# A port on which nothing listens: every call of AWS fails at once.
_CLOSED_PORT_URL = "http://127.0.0.1:9"


@pytest.fixture(scope="session")
def unpacked_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of our unpacked zip."""
    directory = tmp_path_factory.mktemp("task")
    with ZipFile(package_app("local", tmp_path_factory.mktemp("package")).archive) as archive:
        archive.extractall(directory)
    return directory


@pytest.fixture(scope="session")
def lambda_runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the packages that AWS ships beside every zip."""
    return link_runtime(tmp_path_factory.mktemp("aws") / "runtime")


@pytest.fixture
def offline_environment() -> Mapping[str, str]:
    """Return the environment of a stage whose AWS services are unreachable."""
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
    """Yield tables, queue and keys in the emulator, and the fake SMS gateway."""
    with run_harness(tmp_path_factory.mktemp("stage") / "home") as emulator_stage:
        yield emulator_stage


@pytest.fixture
def start_function(unpacked_zip: Path, lambda_runtime: Path, tmp_path: Path) -> Iterator[StartFunction]:
    """Yield a function that starts one handler of an unpacked zip until the end of the test."""
    with ExitStack() as started:

        def start_function(
            handler: str, environment: Mapping[str, str], *, unpacked_zip: Path = unpacked_zip
        ) -> LocalFunction:
            log = tmp_path / f"{handler}.log"
            return started.enter_context(
                run_function(unpacked_zip, handler, runtime=lambda_runtime, environment=environment, log=log)
            )

        yield start_function
