"""What a manager should look at: the queue, a note, and the registrations that an item names."""

import boto3
import pytest
from playwright.sync_api import expect

from chalicelib.callers import Role
from chalicelib.reviews.model import Finding, ReviewKind, ReviewSubject
from tests.browser.console.branch import OTHER_CAMPAIGN, Branch
from tests.browser.console.conftest import DESK_WIDTH, PHONE_WIDTH, OpenTab
from tests.support.app_stage import CAMPAIGN
from tests.support.chat_items import open_chat_item

PAGE = f"#/campaigns/{CAMPAIGN}/review"
NOTE = "Sudah ditelepon <b>dua</b> kali"


def find_something(branch: Branch, reference: str) -> None:
    subject = ReviewSubject.registration(reference)
    finding = Finding(CAMPAIGN, ReviewKind.REPEAT_DIFFERS, subject, figures={"workers": 1})
    branch.stage.container.reviews.open_finding(finding)


@pytest.mark.parametrize(("width", "scheme"), [(PHONE_WIDTH, "light"), (DESK_WIDTH, "dark")])
def test_an_item_is_looked_at_with_a_note_and_acted_on(
    branch: Branch, open_tab: OpenTab, width: int, scheme: str
) -> None:
    reference = branch.register()
    find_something(branch, reference)
    person = open_tab(width, color_scheme=scheme)
    person.sign_in(branch.stage.manager_token, PAGE)
    item = person.find("review-item", state="open")
    expect(item).to_contain_text("Pekerja didata lagi dengan data yang berbeda")
    person.find("review-judge").click()
    person.check_page("review")
    person.find("review-note").fill(NOTE)
    person.find("review-looked_at").click()
    expect(person.page.get_by_text("Tidak ada.", exact=True)).to_be_visible()
    person.page.get_by_role("link", name="Sudah dilihat").click()
    expect(person.find("review-item", state="looked_at")).to_contain_text(NOTE)
    person.find("review-judge").click()
    person.find("review-acted_on").click()
    person.page.get_by_role("link", name="Sudah ditindaklanjuti").click()
    expect(person.find("review-item", state="acted_on")).to_contain_text("branch-office")
    person.page.get_by_role("link", name=reference).click()
    expect(person.find("registration-detail", reference=reference)).to_be_visible()
    assert (person.problems, person.errors) == ([], [])


def test_a_person_in_a_chat_is_answered(branch: Branch, open_tab: OpenTab) -> None:
    open_chat_item(branch.stage.container, CAMPAIGN)
    person = open_tab(PHONE_WIDTH)
    person.sign_in(branch.stage.manager_token, PAGE)
    expect(person.find("review-item", kind="talk_to_person")).to_contain_text("telegram, nik, id")
    person.find("review-answer").click()
    person.check_page("answer")
    person.find("review-answer-text").fill("Datanglah ke meja 3.")
    for said in ("Jawaban sedang dikirim.", "Jawaban sedang dikirim."):
        person.find("review-answer-send").click()
        expect(person.page.get_by_text(said)).to_be_visible()
    waiting = boto3.client("sqs").get_queue_attributes(
        QueueUrl=branch.stage.container.settings.chat_outbox_queue_url,
        AttributeNames=["ApproximateNumberOfMessages"],
    )
    assert waiting["Attributes"]["ApproximateNumberOfMessages"] == "1", "pressed twice, answered once"
    person.page.get_by_role("link", name="Sudah ditindaklanjuti").click()
    expect(person.find("review-item", state="acted_on")).to_contain_text("branch-office")
    assert (person.problems, person.errors) == ([], [])


def test_the_queue_of_another_campaign_is_not_shown(branch: Branch, open_tab: OpenTab) -> None:
    find_something(branch, branch.register())
    person = open_tab()
    person.sign_in(branch.enrol("senen-manager", Role.MANAGER, OTHER_CAMPAIGN), PAGE)
    expect(person.page.get_by_role("heading", name="Halaman tidak dapat ditampilkan")).to_be_visible()
    assert person.find("review-item").count() == 0
