"""The link of a mail to the day's page at the console."""

import re
from urllib.parse import urlsplit

import pytest

from chalicelib.languages import Language
from chalicelib.rollups.renderings import mail
from tests.support.report_builders import make_report

PAGE = "https://daftar.example/api/console#/campaigns/tanah-abang-2024/days/2024-10-10"


@pytest.mark.parametrize("public_url", ["https://daftar.example/api", "https://daftar.example/api/"])
@pytest.mark.parametrize("language", ["id", "en"])
def test_a_mail_links_to_the_page_of_its_day(public_url: str, language: Language) -> None:
    made = mail.compose(make_report(), language, public_url=public_url)
    assert PAGE in made.text.splitlines()
    assert re.findall(r'href="([^"]+)"', made.html) == [PAGE]


def test_the_link_names_nothing_but_the_campaign_and_the_day() -> None:
    (link,) = re.findall(
        r'href="([^"]+)"', mail.compose(make_report(), "id", public_url="https://a.example").html
    )
    parts = urlsplit(link)
    assert (parts.query, parts.fragment) == ("", "/campaigns/tanah-abang-2024/days/2024-10-10")


def test_a_stage_that_does_not_know_its_address_sends_no_link() -> None:
    made = mail.compose(make_report(), "id")
    assert "href" not in made.html
    assert "console" not in made.text
