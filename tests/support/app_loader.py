"""Containers for tests, and copies of `app.py` that each have their own."""

import gc
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from typing import NamedTuple

from botocore.session import Session
from chalice.app import Chalice
from snapshot_restore_py import get_after_restore, get_before_snapshot

from chalicelib.aws.clients import AwsClients
from chalicelib.aws.sessions import create_session
from chalicelib.clock import Clock, utc_now
from chalicelib.container import Container
from chalicelib.settings import Settings
from tests.support.source_tree import ROOT


class LoadedApp(NamedTuple):
    """A copy of `app.py`: its Chalice app, and the container that it owns."""

    app: Chalice
    container: Container


@cache
def get_shared_session() -> Session:
    """Return one session for all tests: reading the SDK's data takes longer than most tests."""
    return create_session()


def make_container(settings: Settings | None = None, clock: Clock = utc_now) -> Container:
    """Return a container with new AWS clients; without `settings`, it reads the environment on first use."""
    return Container(settings, AwsClients(get_shared_session()), clock)


def load_app(
    settings: Settings | None = None, clock: Clock = utc_now, aws: AwsClients | None = None
) -> LoadedApp:
    """Execute `app.py` as a new module, as a Lambda function that starts now would."""
    spec = spec_from_file_location("app", ROOT / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    # They would keep every app of all tests.
    get_after_restore().clear()
    get_before_snapshot().clear()
    gc.unfreeze()  # The app freezes all objects: no garbage of earlier tests would be freed.
    container: Container = module.container
    container.aws, container.clock = aws or AwsClients(get_shared_session()), clock
    if settings is not None:
        container.settings = settings
    return LoadedApp(module.app, container)
