"""Importing the product needs nothing and builds nothing: no variables, no region, no clients, no schemas."""

import subprocess
import sys

from tests.structure.source import ROOT

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


# What only functions without a caller need: the API, whose cold start somebody waits for, shares their zip.
NOT_FOR_CALLERS = ("chalicelib.deliveries", "chalicelib.exports", "chalicelib.rollups.renderings.mail")
LIST_IMPORTS = """
import sys
sys.path.insert(0, sys.argv[1])
import app
print(*[name for name in sys.modules if name.startswith(tuple(sys.argv[2:]))])
"""


def test_importing_the_app_imports_nothing_that_only_rounds_need() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", LIST_IMPORTS, str(ROOT), *NOT_FOR_CALLERS],
        env={},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []
