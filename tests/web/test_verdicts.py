"""What a device makes of the server's verdicts: no answer takes a capture away or ticks it wrongly."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.http.field_texts import FIELD_MESSAGES
from chalicelib.http.problem_texts import PROBLEMS
from chalicelib.registrations.captures import Outcome
from tests.support.javascript import JavaScriptRules

RECORDS = "../store/records.js"
NOW = 1_800_000_000_000
CLOCK = {"now": NOW, "pause": 2_000, "skew": 0}
RECORD = {
    "captureId": "01926f3e-7c00-7000-8000-000000000001",
    "state": "sending",
    "clientId": "van-1",
    "officer": "ofc-12",
    "sequence": 7,
    "campaignId": "tanah-abang-2024",
    "capturedAt": "2027-01-15T08:00:00.000Z",
    "sealed": {"iv": "x", "ciphertext": "y"},
    "revision": 0,
    "notBefore": None,
    "outcome": None,
    "reference": None,
    "differs": [],
    "problem": None,
    "discardReason": None,
}
# The outcomes that the API has for an item of a batch, and some that it may have one day.
ACCEPTED = ("created", "reactivated", "already_registered", "accepted")
REFUSED = ("invalid", "conflict", "capped", "try_again", "refused_some_day", "")

PROBLEM = st.builds(
    lambda code, fields: {"code": code, "errors": [{"field": "worker.nik", "code": each} for each in fields]},
    st.sampled_from([*PROBLEMS, "new_some_day"]),
    st.lists(st.sampled_from([*FIELD_MESSAGES, "new_some_day"]), max_size=3),
)
VERDICT = st.one_of(
    st.none(),
    st.fixed_dictionaries({"outcome": st.sampled_from(ACCEPTED), "reference": st.just("7K4-M2Q-X9P")}),
    st.fixed_dictionaries({"outcome": st.sampled_from(REFUSED)}),
    st.fixed_dictionaries({"outcome": st.sampled_from((*REFUSED, *ACCEPTED)), "problem": PROBLEM}),
)


def apply(rules: JavaScriptRules, verdict: dict[str, Any] | None) -> dict[str, Any]:
    """Return the record of a capture that was being sent, after a verdict."""
    record: dict[str, Any] = rules.call(RECORDS, "applyVerdict", RECORD, verdict, CLOCK)
    return record


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(verdict=VERDICT)
def test_a_capture_keeps_its_content_unless_it_was_accepted_or_the_person_erased(
    javascript_rules: JavaScriptRules, verdict: dict[str, Any] | None
) -> None:
    record = apply(javascript_rules, verdict)
    is_accepted = verdict is not None and "problem" not in verdict and verdict["outcome"] in ACCEPTED
    is_erased = (
        verdict is not None
        and verdict.get("problem", {}).get("code") == "capture_forgotten"
        and verdict["outcome"] != "try_again"
    )
    assert (record["state"] == "accepted") == is_accepted
    assert (record["state"] == "discarded") == is_erased
    assert (record["sealed"] is None) == (is_accepted or is_erased)
    assert record["state"] in {"accepted", "waiting", "needs_fix", "discarded"}, "nothing stays being sent"
    if record["state"] == "waiting":
        assert NOW < record["notBefore"] <= NOW + 30 * 60_000, "it is tried again, and not at once"
    kept = {name: record[name] for name in ("captureId", "sequence", "officer", "capturedAt", "clientId")}
    assert kept == {name: RECORD[name] for name in kept}


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_of_the_server_is_known_to_the_device(
    javascript_rules: JavaScriptRules, outcome: Outcome
) -> None:
    expected = "waiting" if outcome is Outcome.REFUSED else "accepted"
    assert apply(javascript_rules, {"outcome": outcome})["state"] == expected


@pytest.mark.parametrize(
    ("code", "state", "is_mendable"),
    [
        ("rules_broken", "needs_fix", True),
        ("body_invalid", "needs_fix", True),
        ("capture_reused", "needs_fix", True),
        ("worker_captures_reached", "needs_fix", True),
        ("campaign_not_yours", "needs_fix", True),
        ("phone_cap_reached", "waiting", True),
        ("client_cap_reached", "waiting", False),
        ("kiosk_cap_reached", "waiting", False),
        ("capture_forgotten", "discarded", False),
    ],
)
def test_what_may_be_mended_follows_from_what_was_refused(
    javascript_rules: JavaScriptRules, code: str, state: str, is_mendable: bool
) -> None:
    record = apply(javascript_rules, {"outcome": "invalid", "problem": {"code": code}})
    assert record["state"] == state
    assert javascript_rules.call(RECORDS, "isMendable", record) is is_mendable
    assert javascript_rules.call(RECORDS, "isDiscardable", record) is (state == "needs_fix")


@given(failures=st.integers(1, 200), random=st.floats(0, 1, exclude_max=True))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pauses_grow_to_five_minutes_and_differ(
    javascript_rules: JavaScriptRules, failures: int, random: float
) -> None:
    pause = javascript_rules.call("../sync/backoff.js", "computePause", failures, random)
    whole = min(300_000, 2_000 * 2 ** (failures - 1))
    assert whole / 2 - 1 <= pause <= whole


@pytest.mark.parametrize("ahead", [0, 3600, -3600, 86_400])
def test_the_clock_is_compared_with_the_middle_of_the_exchange(
    javascript_rules: JavaScriptRules, ahead: int
) -> None:
    sent_at, answered_at = NOW + ahead * 1000, NOW + ahead * 1000 + 4_000
    date = "Fri, 15 Jan 2027 08:00:02 GMT"  # Two seconds after NOW.
    skew = javascript_rules.call("../sync/clock.js", "measureSkew", date, sent_at, answered_at)
    assert abs(skew - ahead) <= 1
    assert javascript_rules.call("../sync/clock.js", "measureSkew", None, sent_at, answered_at) is None
