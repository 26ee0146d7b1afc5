"""The rules of intake as a form asks them: the same code judges an answer here and a capture there. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol

from chalicelib.callers import Caller
from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.campaigns.service import CampaignService
from chalicelib.clock import Clock
from chalicelib.contributions.schemas import AskForQuote
from chalicelib.contributions.service import FUND_ZONE, QuoteService
from chalicelib.devices.checks import CheckResult, FieldChecker
from chalicelib.refusals import RulesBroken
from chalicelib.registrations import nik
from chalicelib.registrations.errors import InvalidValue


class FormRules(Protocol):
    """The rules by which a form judges answers."""

    def check(self, fields: Mapping[str, Any]) -> CheckResult:
        """Return every error and warning of some fields of a capture, in their groups."""

    def find_birth_date(self, typed_nik: str) -> date | None:
        """Return the birth date in a NIK, or None if it is none."""

    def compute_price(self, fields: Mapping[str, Any]) -> int | None:
        """Return the price of a coverage in rupiah, or None if it has none."""

    def is_open(self, campaign_id: str) -> bool:
        """Return True if workers may be registered in a campaign now."""

    def find_day(self, campaign_id: str) -> CampaignDay | None:
        """Return the present day of a campaign, or None if there is none with this id."""

    def today(self) -> date:
        """Return the present day in Jakarta."""


class IntakeRules:
    """Satisfies `FormRules` with the services that judge captures and quotes."""

    def __init__(
        self,
        *,
        checker: FieldChecker,
        campaigns: CampaignService,
        quotes: QuoteService,
        caller: Caller,
        clock: Clock,
    ) -> None:
        self._checker = checker
        self._campaigns = campaigns
        self._quotes = quotes
        self._caller = caller
        self._clock = clock

    def check(self, fields: Mapping[str, Any]) -> CheckResult:
        return self._checker.check(fields, caller=self._caller)

    def find_birth_date(self, typed_nik: str) -> date | None:
        try:
            return nik.parse(typed_nik, capture_day=self.today())[1].birth_date
        except InvalidValue:
            return None

    def compute_price(self, fields: Mapping[str, Any]) -> int | None:
        try:
            return self._quotes.quote(
                AskForQuote(
                    monthly_income=fields["work"]["monthly_income"],
                    occupations=tuple(fields["work"]["occupations"]),
                    employs_others=fields["work"]["employs_others"],
                    programmes=tuple(fields["coverage"]["programmes"]),
                    months=fields["coverage"]["months"],
                    payer=fields["coverage"]["payer"],
                )
            ).total
        except RulesBroken:
            return None

    def is_open(self, campaign_id: str) -> bool:
        campaign, now = self._find(campaign_id), self._clock()
        if campaign is None:
            return False
        return campaign.has_day(campaign.local_day(now)) and campaign.is_accepting(now)

    def find_day(self, campaign_id: str) -> CampaignDay | None:
        campaign = self._find(campaign_id)
        return None if campaign is None else CampaignDay(campaign_id, campaign.local_day(self._clock()))

    def _find(self, campaign_id: str) -> Campaign | None:
        try:
            return self._campaigns.get(campaign_id) if campaign_id else None
        except CampaignUnknown:
            return None

    def today(self) -> date:
        return self._clock().astimezone(FUND_ZONE).date()
