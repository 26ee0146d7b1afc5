"""Importing the app: it needs no environment, and builds no clients and no schemas."""

import subprocess
import sys

from tests.support.source_tree import ROOT

IMPORT_ALONE = """
import sys
sys.path.insert(0, sys.argv[1])
import botocore.session

def create_client(*_, **__):
    raise AssertionError("a client is created at import")

botocore.session.Session.create_client = create_client

import pydantic.json_schema

def generate(*_, **__):
    raise AssertionError("a schema is generated at import")

pydantic.json_schema.GenerateJsonSchema.generate = generate
pydantic.json_schema.GenerateJsonSchema.generate_definitions = generate
import app
"""


def test_the_app_imports_in_an_empty_environment() -> None:
    result = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", IMPORT_ALONE, str(ROOT)],
        env={},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")


# Packages that captures do not need. The API imports their routes, with the models of their contracts; what
# else is in them is imported by the code that needs it, because it would slow down the API's cold start.
NOT_FOR_CAPTURES = (
    "chats",
    "conversations",
    "deliveries",
    "exports",
    "messaging",
    "notifications",
    "rollups",
)
FOR_ROUTES = {
    *("messaging.errors", "messaging.model", "messaging.receipts", "messaging.twilio_callbacks"),
    *("notifications.errors", "notifications.routes", "notifications.schemas"),
    *("rollups.errors", "rollups.requests", "rollups.renderings", "rollups.routes"),
    "rollups.renderings.formats",
}
# Modules that captures do not need, in packages that they do need.
MODULES_NOT_FOR_CAPTURES = {
    "data_requests.service",
    *("devices.bundle", "devices.bundle_schemas", "devices.checks", "devices.consent_texts"),
    "web.site",
    *("registrations.lifecycle", "registrations.stream", "registrations.schedule"),
    *("registrations.erasure", "registrations.reading", "registrations.discards"),
    *(f"registrations.store_{flow}" for flow in ("discards", "erasure", "lifecycle", "reading", "stream")),
}
LIST_IMPORTS = """
import sys
sys.path.insert(0, sys.argv[1])
import app
print(*sys.modules)
"""


def test_the_app_imports_nothing_that_captures_do_not_need() -> None:
    result = subprocess.run(
        [sys.executable, "-I", "-c", LIST_IMPORTS, str(ROOT)],
        env={},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    modules = result.stdout.split()
    assert not {"jinja2", "xlsxwriter"} & set(modules)
    imported = {name.removeprefix("chalicelib.") for name in modules if name.startswith("chalicelib.")}
    inside = {name for name in imported if name.startswith(tuple(f"{each}." for each in NOT_FOR_CAPTURES))}
    assert inside - FOR_ROUTES == set()
    assert imported & MODULES_NOT_FOR_CAPTURES == set()
