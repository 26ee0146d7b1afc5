"""No answer is a list that grows without end: a list has pages, or a reason why it is short."""

from typing import Any

from tests.support.openapi import list_operations, resolve_reference

# The lists without pages of answers to GET, and what bounds each.
BOUNDED_LISTS = {
    "list_corrections.corrections": "the corrections that a registration takes",
    "list_versions.versions": "the newest 50",
    "list_occupations.occupations": "a data file",
    "list_sms.sms": "one for an event of a registration, and those asked for, which have a cap",
    "show_bundle.consent_texts": "the languages",
    "show_bundle.contribution_tables": "a data file",
    "show_bundle.discount_policies": "a data file",
    "show_bundle.occupations": "a data file",
    "show_bundle.sponsors": "those that the campaign was given",
    "show_capture.differs": "the fields of a worker",
    "show_capture.reasons": "the rules of intake",
    "list_summaries.days": "the days of a campaign, a year at most",
    "show_caller.campaigns": "50, as the client was enrolled",
    "show_caller.roles": "the roles that there are",
    "show_campaign.managers": "50, as the campaign was given",
    "show_campaign.sponsors": "those that the campaign was given",
    "show_client.campaigns": "50, as the client was enrolled",
    "show_client.use_flags": "the flags that there are",
    "show_client.roles": "the roles that there are",
    "show_device.campaigns": "the latest 50",
    "show_device.roles": "the roles that there are",
    "show_rates.clients": "the clients of a day",
    "show_rates.officers": "the officers of a day",
    "show_registration.flags": "the flags that there are",
    "show_registration.history": "the events of one registration",
    "show_summary.anomalies": "the clients of a day",
    "show_summary.arrivals": "the clients of a day, for each day of arrival",
    "show_summary.changes": "the figures of a summary",
    "show_summary.notes": "the clients of a day, for each day of arrival",
    "show_summary.oddities": "the clients of a day",
    "show_summary.revisions": "the days of a campaign",
}


def find_lists(operation: dict[str, Any]) -> set[str]:
    """Return the names of the arrays in an operation's answers, unless they have pages."""
    found = set()
    for status, response in operation["responses"].items():
        media = resolve_reference(response).get("content", {}).get("application/json")
        if not status.startswith("2") or media is None:
            continue
        properties = resolve_reference(media["schema"]).get("properties", {})
        if "cursor" not in properties:
            found |= {name for name, schema in properties.items() if "array" in str(schema)}
    return found


def test_every_list_has_pages_or_a_bound() -> None:
    unpaged = {
        f"{operation['operationId']}.{name}"
        for (method, _), operation in list_operations().items()
        if method == "GET"
        for name in find_lists(operation)
    }
    assert unpaged == set(BOUNDED_LISTS)
