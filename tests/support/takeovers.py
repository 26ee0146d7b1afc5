"""Two campaigns, a bot of one and vans of both: who may take over whose applications."""

from typing import Any

from chalicelib.callers import Caller, Role
from chalicelib.campaigns.service import CampaignService
from chalicelib.registrations.captures import Answer
from chalicelib.registrations.model import Registration
from tests.registrations.conftest import RegistrationHarness
from tests.support.builders import make_caller
from tests.support.fakes.campaigns import InMemoryCampaigns
from tests.support.fakes.summaries import make_due_list
from tests.support.registration_builders import make_campaign

HERE, ELSEWHERE = "tanah-abang-2024", "senen-2024"
VAN = make_caller(Role.KIOSK, client_id="van-1", campaigns=frozenset({HERE}))
VAN_ELSEWHERE = make_caller(Role.KIOSK, client_id="senen-1", campaigns=frozenset({ELSEWHERE}))
BOT = make_caller(Role.BOT, client_id="whatsapp", campaigns=frozenset({HERE}))
BOT_ELSEWHERE = make_caller(Role.BOT, client_id="telegram", campaigns=frozenset({ELSEWHERE}))


class TwoCampaigns:
    """The services of a harness, with intake for two campaigns."""

    def __init__(self, harness: RegistrationHarness) -> None:
        self.harness = harness
        self.number = 0
        sponsors = [{"sponsor_id": "coop", "name": "Koperasi", "quota": 5}]
        campaigns = [
            make_campaign(campaign_id=each, accepts_until="2999-12-31", sponsors=sponsors)
            for each in (HERE, ELSEWHERE)
        ]
        self.campaigns = CampaignService(
            campaigns=InMemoryCampaigns(*campaigns), get_due_list=make_due_list, clock=harness.clock
        )

    def submit(self, caller: Caller, *, worker_number: int = 1, store: Any = None, **changes: Any) -> Answer:
        """Send one more capture of a worker for the campaign of a client."""
        self.number += 1
        (campaign_id,) = caller.campaigns
        intake = self.harness.make_intake_service(
            store or self.harness.stores.intake, campaigns=self.campaigns
        )
        return self.harness.submit(
            self.number,
            nik_number=worker_number,
            caller=caller,
            intake=intake,
            campaign_id=campaign_id,
            **changes,
        )

    def register(self, caller: Caller, **options: Any) -> Registration:
        """Return the registration that a capture makes or finds."""
        return self.harness.stores.reading.get(self.submit(caller, **options).reference)

    def reload(self, registration: Registration) -> Registration:
        return self.harness.stores.reading.get(registration.reference)
