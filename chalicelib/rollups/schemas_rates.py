"""The rates of a campaign day and the versions of its summary over HTTP."""

from datetime import date

from pydantic import BaseModel

from chalicelib.campaigns.model import CampaignDay
from chalicelib.rollups.model import Headline
from chalicelib.rollups.rates import DayRates


class RateView(BaseModel):
    """Registrations of a day: those not cancelled, those with a payment, and those cancelled."""

    registered: int
    paid: int
    cancelled: int


class ClientRateView(RateView):
    """The rate of one client."""

    client_id: str


class OfficerRateView(RateView):
    """The rate of one officer, whom the capture names."""

    officer: str


class RatesView(BaseModel):
    """The rates of a campaign day by client and by officer, as of now."""

    campaign_id: str
    day: date
    clients: list[ClientRateView]
    officers: list[OfficerRateView]

    @classmethod
    def build(cls, campaign_day: CampaignDay, rates: DayRates) -> "RatesView":
        return cls(
            campaign_id=campaign_day.campaign_id,
            day=campaign_day.day,
            clients=[
                ClientRateView(client_id=client_id, **vars(rate))
                for client_id, rate in sorted(rates.by_client.items())
            ],
            officers=[
                OfficerRateView(officer=officer, **vars(rate))
                for officer, rate in sorted(rates.by_officer.items())
            ],
        )


class VersionsView(BaseModel):
    """The versions of a day's summary, the newest first, each with its main counts; at most 50."""

    versions: list[Headline]
