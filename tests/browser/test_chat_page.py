"""The page of phones of the fake chat, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import BrowserPage
from tests.support.fake_chat import FakeChat, run_fake_chat

_KEYBOARD = {"inline_keyboard": [[{"text": "Ya, setuju", "callback_data": "v1:consent:yes:1"}]]}


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[FakeChat]:
    with run_fake_chat(tmp_path / "chats.jsonl") as running:
        yield running


def _open_phone(browser_page: BrowserPage, chat: FakeChat, user: str = "1001") -> None:
    browser_page.page.goto(chat.url)
    browser_page.page.get_by_label("Nomor pengguna").fill(user)
    browser_page.page.get_by_role("button", name="Buka telepon").click()


def test_a_person_chats_with_the_bot_and_presses_its_buttons(
    browser_page: BrowserPage, chat: FakeChat
) -> None:
    _open_phone(browser_page, chat)
    page = browser_page.page
    page.get_by_label("Pesan").fill("/start")
    page.get_by_role("button", name="Kirim").click()
    log = page.get_by_role("log", name="Obrolan 1001")
    expect(log).to_contain_text("/start")
    chat.call("sendMessage", chat_id=1001, text="Setuju?", reply_markup=_KEYBOARD)
    page.get_by_role("button", name="Ya, setuju").click()
    expect(log.get_by_role("listitem").last).to_have_text("Ya, setuju")
    assert [update["callback_query"]["data"] for update in chat.webhook.updates[1:]] == ["v1:consent:yes:1"]
    assert browser_page.errors == []


def test_the_page_is_accessible_in_both_languages(browser_page: BrowserPage, chat: FakeChat) -> None:
    chat.act("telegram", "1001", text="halo")
    chat.call("sendMessage", chat_id=1001, text="Setuju?", reply_markup=_KEYBOARD)
    browser_page.page.goto(chat.url)
    expect(browser_page.page.get_by_role("log", name="Obrolan 1001")).to_contain_text("Setuju?")
    assert browser_page.find_violations() == []
    browser_page.page.get_by_label("Bahasa").select_option("en")
    expect(browser_page.page.get_by_role("button", name="Send")).to_be_visible()
    assert browser_page.find_violations() == []


def test_the_page_is_never_wider_than_a_phone(browser_page: BrowserPage, chat: FakeChat) -> None:
    chat.act("telegram", "1001", text="x" * 300)
    browser_page.page.set_viewport_size({"width": 320, "height": 800})
    browser_page.page.goto(chat.url)
    expect(browser_page.page.get_by_role("log", name="Obrolan 1001")).to_contain_text("xxx")
    assert browser_page.measure_overflow() == 0
