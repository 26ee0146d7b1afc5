"""The services that devices ask, with the campaign at Pasar Tanah Abang and a fixed clock."""

from datetime import datetime
from typing import Any

from chalicelib.campaigns.service import CampaignService
from chalicelib.contributions.rules import load_rules
from chalicelib.contributions.service import QuoteService
from chalicelib.crypto.rescue import RescueKey
from chalicelib.devices.bundle import BundleService
from chalicelib.devices.checks import FieldChecker
from chalicelib.http.problems import list_shape_errors
from chalicelib.registrations.rules import AgeLimits
from tests.support.builders import NOW
from tests.support.fakes.campaigns import InMemoryCampaigns
from tests.support.fakes.clock import FixedClock
from tests.support.fakes.summaries import make_due_list
from tests.support.registration_builders import make_campaign


def make_checker(*, now: datetime = NOW, **campaign: Any) -> FieldChecker:
    """Return a checker of fields; `campaign` are other fields of the campaign."""
    clock = FixedClock(now)
    return FieldChecker(
        campaigns=CampaignService(
            campaigns=InMemoryCampaigns(make_campaign(**campaign)), get_due_list=make_due_list, clock=clock
        ),
        quote_service=QuoteService(rules=load_rules(), clock=clock),
        age_limits=AgeLimits(),
        clock=clock,
        list_shape_errors=list_shape_errors,
    )


def make_bundle_service(
    *, now: datetime = NOW, age_limits: AgeLimits | None = None, **campaign: Any
) -> BundleService:
    """Return a maker of bundles; `campaign` are other fields of the campaign."""
    clock = FixedClock(now)
    return BundleService(
        campaigns=CampaignService(
            campaigns=InMemoryCampaigns(make_campaign(**campaign)), get_due_list=make_due_list, clock=clock
        ),
        contribution_rules=load_rules(),
        age_limits=age_limits or AgeLimits(),
        kiosk_minute_cap=30,
        get_rescue_key=lambda: RescueKey("rescue-1", bytes(32)),
        clock=clock,
    )
