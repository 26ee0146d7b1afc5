"""Logs: facts as keys, one correlation id, and never the words of an exception."""

import os
import subprocess
import sys

import pytest

from chalicelib import observability
from tests.builders import a_nik
from tests.logs import logged


def test_an_unforeseen_error_is_logged_by_type_and_place_and_without_its_words() -> None:
    def fail() -> None:
        try:
            int(a_nik()[:15] + "x")
        except ValueError as cause:
            raise LookupError(f"no worker {a_nik()}") from cause

    with logged() as lines:
        try:
            fail()
        except LookupError as error:
            observability.log_unforeseen(error, "request failed", {"route": "/v1/registrations"})

    (line,) = lines
    assert (line["message"], line["level"], line["error"]) == ("request failed", "ERROR", "LookupError")
    assert line["route"] == "/v1/registrations"
    assert any(place.startswith("test_observability.py:") for place in line["where"])
    assert a_nik()[:15] not in str(line)
    assert "exception" not in line


def test_the_correlation_id_stands_on_every_line_until_the_next() -> None:
    with logged() as lines:
        for correlation_id in ("c-1", "c-2"):
            observability.correlate(correlation_id)
            observability.logger.info("one")
            observability.logger.info("two")
    assert [line["correlation_id"] for line in lines] == ["c-1", "c-1", "c-2", "c-2"]


@pytest.mark.parametrize("name", ["LOG_LEVEL", "POWERTOOLS_LOG_LEVEL"])
def test_a_log_level_left_in_the_environment_silences_nothing(name: str) -> None:
    program = "from chalicelib.observability import logger; logger.info('registered')"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {name: "CRITICAL"},
        capture_output=True,
        check=True,
        text=True,
    )
    assert '"message":"registered"' in run.stdout


def test_importing_the_app_leaves_the_log_as_it_was() -> None:
    program = (
        "import contextlib, io\n"
        "from chalicelib.observability import logger\n"
        "with contextlib.redirect_stdout(io.StringIO()): import app\n"
        "assert len(logger.handlers) == 1\n"
        "logger.info('registered')"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert '"message":"registered"' in run.stdout


def test_a_count_is_a_metric_of_our_namespace() -> None:
    with logged() as lines:
        observability.count("Registrations", outcome="created")
    (metric,) = lines.metrics()
    assert (metric["Registrations"], metric["outcome"]) == ([1.0], "created")
    (declared,) = metric["_aws"]["CloudWatchMetrics"]
    assert declared["Namespace"] == "Daftar"
    assert ["outcome"] in [sorted(set(names) - {"service"}) for names in declared["Dimensions"]]
