"""Logs: facts as keys, one correlation id, and never the message of an exception."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import observability
from chalicelib.observability import logger
from tests.support.builders import make_nik
from tests.support.logs import collect_logs


def test_an_unexpected_error_is_logged_by_type_and_frames_without_its_message() -> None:
    def fail() -> None:
        try:
            int(make_nik()[:15] + "x")
        except ValueError as cause:
            raise LookupError(f"no worker {make_nik()}") from cause

    with collect_logs() as lines:
        try:
            fail()
        except LookupError as error:
            observability.log_exception(error, "request failed", {"route": "/v1/registrations"})

    (line,) = lines
    assert (line["message"], line["level"], line["error"]) == ("request failed", "ERROR", "LookupError")
    assert line["route"] == "/v1/registrations"
    assert any(frame.startswith("test_observability.py:") for frame in line["where"])
    assert make_nik()[:15] not in str(line)
    assert "exception" not in line


def test_the_correlation_id_is_on_every_line_until_it_is_set_again() -> None:
    with collect_logs() as lines:
        for correlation_id in ("c-1", "c-2"):
            observability.set_correlation_id(correlation_id)
            observability.logger.info("one")
            observability.logger.info("two")
    assert [line["correlation_id"] for line in lines] == ["c-1", "c-1", "c-2", "c-2"]


@pytest.mark.parametrize("name", ["LOG_LEVEL", "POWERTOOLS_LOG_LEVEL"])
def test_a_log_level_in_the_environment_does_not_suppress_lines(name: str) -> None:
    program = "from chalicelib.observability import logger; logger.info('registered')"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {name: "CRITICAL"},
        capture_output=True,
        check=True,
        text=True,
    )
    assert '"message":"registered"' in run.stdout


def test_importing_the_app_does_not_change_the_logger() -> None:
    program = (
        "import contextlib, io\n"
        "from chalicelib.observability import logger\n"
        "with contextlib.redirect_stdout(io.StringIO()): import app\n"
        "assert len(logger.handlers) == 1\n"
        "logger.info('registered')"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert '"message":"registered"' in run.stdout


NAME = "Melati Kusumawati"
HOSTILE = [
    make_nik(),
    "3171 0752 0485 7001",
    "317107.520485.7001",
    "0824-5550-7001",
    "+62 824 5550 7001",
    "(0824) 5550 7001",
    "62824\u200b5550\u200b7001",
    "\uff10\uff18\uff12\uff14\uff15\uff15\uff15\uff10\uff17\uff10\uff10\uff11",
    "0824_5550_7001",
    "21012345678",
    "melati@pasar.example",
    "Melati.K+1@pasar.co.id",
]


class NameObject:
    """An object of an unexpected type that shows a name."""

    def __repr__(self) -> str:
        return NAME


def log_with_correlation_id(value: str) -> None:
    observability.set_correlation_id(value)
    logger.info("done")


def log_with_appended_name() -> None:
    logger.append_keys(worker=NAME)
    logger.info("done")
    logger.remove_keys(["worker"])


def log_one_line(write: Callable[[], object]) -> str:
    with collect_logs() as lines:
        write()
    (line,) = lines
    return json.dumps(line, ensure_ascii=False)


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize(
    "write",
    [
        logger.info,
        lambda value: logger.info(f"worker {value} registered"),
        lambda value: logger.info("worker %s", value),
        lambda value: logger.info({"worker": value}),
        lambda value: logger.info(json.dumps({"worker": value})),
        lambda value: logger.info("done", extra={"phone": value}),
        lambda value: logger.info("done", extra={value: 1}),
        lambda value: logger.info("done", extra={"reason": value}),
        lambda value: logger.info("done", extra={"client_id": value}),
        lambda value: logger.info("done", extra={"where": ["a.py:1 f", value]}),
        lambda value: logger.info("done", extra={"by_status": {value: [value]}}),
        log_with_correlation_id,
        lambda value: logger.error("done", exc_info=LookupError(value)),
        lambda value: observability.log_exception(LookupError(value), "done", {"route": f"/v1/{value}"}),
    ],
    ids=range(14),
)
def test_no_line_can_hold_a_number_or_an_address_of_a_person(write: Any, value: Any) -> None:
    line = log_one_line(lambda: write(value))

    assert value not in line
    assert value not in line.replace("\\", "")


@pytest.mark.parametrize(
    "write",
    [
        lambda: logger.info(f"worker {NAME} registered"),
        lambda: logger.info("worker %s", NAME),
        lambda: logger.info(NAME),
        lambda: logger.info("done", extra={"worker": NAME}),
        lambda: logger.info("done", extra={"worker": "MELATI"}),
        lambda: logger.info("done", extra={"reason": NAME}),
        lambda: logger.info("done", extra={"fields": [NAME]}),
        lambda: logger.info("done", extra={"by_status": {NAME: 1}}),
        lambda: logger.info("done", extra={"state": NameObject()}),
        lambda: logger.info("done", extra={NAME: 1, "MELATI": 1}),
        lambda: logger.error("done", exc_info=LookupError(NAME)),
        log_with_appended_name,
    ],
    ids=range(12),
)
def test_no_line_can_hold_a_name(write: Any) -> None:
    line = log_one_line(write)

    assert not {word for word in (*NAME.split(), "MELATI") if word in line}


@pytest.mark.parametrize("number", [int(make_nik()), 82455507001, 21012345678.0])
def test_a_number_above_every_count_is_not_logged(number: Any) -> None:
    assert str(number)[:9] not in log_one_line(lambda: logger.info("done", extra={"attempts": number}))


FACTS = {
    "message_id": "059f36b4-87a3-44ab-83d2-661975830a7d",
    "sms_id": "01234567890123456789012345678901"[:31] + "a",
    "reference": "7K4-M2Q-X9P",
    "client_id": "van-1",
    "campaign_id": "tanah-abang-2024",
    "day": "2024-10-09",
    "sequence_number": "111800000000012345678901",
    "route": "/v1/registrations/{reference}",
    "status": 201,
    "is_new": True,
    "by_status": {"expired": 12},
    "fields": ["worker.nik: nik_length", "items.0.?: field_unknown"],
}


def test_declared_facts_are_readable() -> None:
    with collect_logs() as lines:
        observability.set_correlation_id("123e4567-e89b-12d3-a456-426614174000")
        logger.info("batch published", extra=FACTS)

    (line,) = lines
    assert {name: line[name] for name in FACTS} == FACTS
    assert line["correlation_id"] == "123e4567-e89b-12d3-a456-426614174000"
    assert line["message"] == "batch published"
    assert line["timestamp"][:4].isdecimal()


def test_a_logged_traceback_shows_only_the_type_and_the_frames() -> None:
    with collect_logs() as lines:
        try:
            int(NAME)
        except ValueError:
            logger.exception("done")

    (line,) = lines
    assert line["error"] == "ValueError"
    assert line["where"][0].startswith("test_observability.py:")
    assert NAME not in str(line)


def test_a_metric_holds_nothing_personal() -> None:
    with collect_logs() as lines:
        observability.count("Registrations", outcome=NAME, channel=make_nik())

    assert NAME not in str(lines)
    assert make_nik() not in str(lines)


def test_a_failed_function_raises_an_error_without_its_message() -> None:
    def fail(event: object) -> None:
        raise LookupError(f"{event} {NAME}")

    with collect_logs() as lines, pytest.raises(observability.UnhandledError) as failed:
        observability.redact_errors(make_nik(), fail)

    assert str(failed.value) == "LookupError"
    assert failed.value.__suppress_context__
    assert lines.with_message("function failed")[0]["error"] == "LookupError"
    assert NAME not in str(lines)


def test_a_count_is_a_metric_in_the_products_namespace() -> None:
    with collect_logs() as lines:
        observability.count("Registrations", outcome="created")
    (metric,) = lines.metrics()
    assert (metric["Registrations"], metric["outcome"]) == ([1.0], "created")
    (declared,) = metric["_aws"]["CloudWatchMetrics"]
    assert declared["Namespace"] == "Daftar"
    assert ["outcome"] in [sorted(set(names) - {"service"}) for names in declared["Dimensions"]]


@pytest.mark.parametrize(
    "reason", ["ConflictException:DESTINATION_PHONE_NUMBER_OPTED_OUT", "expired:ThrottlingException", "21610"]
)
def test_the_reason_of_a_gateway_is_readable(reason: str) -> None:
    assert f'"{reason}"' in log_one_line(lambda: logger.info("done", extra={"reason": reason}))
