"""The rates of a campaign day and the versions of its summary over HTTP."""

from datetime import date

from pydantic import BaseModel

from chalicelib.campaigns.model import CampaignDay
from chalicelib.rollups.model import Headline
from chalicelib.rollups.rates import DayRates


class RateView(BaseModel):
    """A client's or officer's registrations: those not cancelled, with a payment, and cancelled."""

    client_id: str | None = None
    officer: str | None = None
    registered: int
    paid: int
    cancelled: int


class RatesView(BaseModel):
    """The rates of a campaign day by client and by officer, as of now."""

    campaign_id: str
    day: date
    clients: list[RateView]
    officers: list[RateView]

    @classmethod
    def build(cls, campaign_day: CampaignDay, rates: DayRates) -> "RatesView":
        return cls(
            campaign_id=campaign_day.campaign_id,
            day=campaign_day.day,
            clients=[
                RateView(client_id=client_id, **vars(rate))
                for client_id, rate in sorted(rates.by_client.items())
            ],
            officers=[
                RateView(officer=officer, **vars(rate)) for officer, rate in sorted(rates.by_officer.items())
            ],
        )


class VersionsView(BaseModel):
    """The versions of a day's summary, the newest first, each with its main counts; at most 50."""

    versions: list[Headline]
