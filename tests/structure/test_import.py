"""Importing the product needs nothing and builds nothing: no variables, no region, no clients, no schemas."""

import subprocess
import sys

from tests.support.source_tree import ROOT

IMPORT_ALONE = """
import sys
sys.path.insert(0, sys.argv[1])
import botocore.session

def built(*_, **__):
    raise AssertionError("a client is built at import")

botocore.session.Session.create_client = built

import pydantic.json_schema

def described(*_, **__):
    raise AssertionError("a schema is worked out at import")

pydantic.json_schema.GenerateJsonSchema.generate = described
pydantic.json_schema.GenerateJsonSchema.generate_definitions = described
import app
"""


def test_the_app_imports_in_an_empty_environment() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", IMPORT_ALONE, str(ROOT)],
        env={},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


# Packages that taking captures in does without. Of what is in them the API needs the routes, and what these
# say of themselves; the rest is imported by whoever needs it, since the API, whose cold start somebody waits
# for, shares their zip.
NOT_FOR_CAPTURES = ("deliveries", "exports", "notifications", "rollups")
AT_THE_EDGE = {
    "notifications.routes",
    *("rollups.errors", "rollups.requests", "rollups.renderings", "rollups.routes"),
    *("rollups.renderings.formats", "rollups.renderings.i18n"),
}
# The same in packages that it does need.
NOT_FOR_CAPTURES_EITHER = {
    "data_requests.service",
    *("registrations.lifecycle", "registrations.stream", "registrations.schedule"),
}
LIST_IMPORTS = """
import sys
sys.path.insert(0, sys.argv[1])
import app
print(*[name for name in sys.modules if name.startswith("chalicelib.")])
"""


def test_importing_the_app_imports_nothing_that_captures_do_without() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", LIST_IMPORTS, str(ROOT)],
        env={},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {name.removeprefix("chalicelib.") for name in done.stdout.split()}
    inside = {name for name in imported if name.startswith(tuple(f"{each}." for each in NOT_FOR_CAPTURES))}
    assert inside - AT_THE_EDGE == set()
    assert imported & NOT_FOR_CAPTURES_EITHER == set()
