"""One registration at the console: how it is found, what is shown of it, and what may be done with it."""

import pytest
from playwright.sync_api import expect

from chalicelib.callers import EVERY_CAMPAIGN, Role
from chalicelib.searches.receipt_codes import make_receipt_code
from tests.browser.console.branch import OTHER_CAMPAIGN, Branch
from tests.browser.console.conftest import DESK_WIDTH, PHONE_WIDTH, OpenTab
from tests.browser.console.person import Person
from tests.support.app_stage import CAMPAIGN
from tests.support.payloads import make_capture_id, make_expiry_day, make_nik

NOTHING = "Tidak ada pendaftaran yang cocok di kegiatan Anda."
WRONG_PHONE, RIGHT_PHONE = "+6282455507001", "+6282455507999"
HOSTILE = "<img src=x onerror=window.hit=1><b>{{7*7}}</b>&amp;"


@pytest.mark.parametrize(("width", "scheme"), [(PHONE_WIDTH, "light"), (DESK_WIDTH, "dark")])
def test_a_manager_finds_a_registration_by_its_reference(
    branch: Branch, open_tab: OpenTab, width: int, scheme: str
) -> None:
    reference = branch.register()
    person = open_tab(width, color_scheme=scheme)
    person.sign_in(branch.stage.manager_token, "#/search")
    person.check_page("search")
    person.search(reference.lower().replace("-", " "))
    detail = person.find("registration-detail", reference=reference)
    expect(detail).to_contain_text("M***** K*********")
    for shown in ("Rp65.600", "van-7", "ofc-12", "Diterima", "Terdaftar"):
        expect(detail).to_contain_text(shown)
    assert make_nik(7001) not in person.page.content()
    person.check_page("registration")
    assert (person.problems, person.errors) == ([], [])


@pytest.mark.parametrize("typed", ["K7M2-Q9XP", make_capture_id(99)])
def test_what_is_not_there_is_said_so(manager: Person, typed: str) -> None:
    manager.search(typed)
    expect(manager.page.locator("main").get_by_text(NOTHING)).to_be_visible()
    assert manager.find("registration-detail").count() == 0


def test_a_reference_with_a_wrong_letter_is_told_at_the_field(manager: Person) -> None:
    manager.search("7K4-M2Q-X9P")
    expect(manager.page.locator(".error")).to_contain_text("lengkap")
    assert manager.find("registration-detail").count() == 0


def test_a_manager_may_not_search_by_nik_or_phone(branch: Branch, manager: Person) -> None:
    branch.register()
    for typed in (make_nik(7001), "0824-5550-7001"):
        manager.search(typed)
        expect(manager.page.locator(".error")).to_be_visible()
        assert manager.find("registration-detail").count() == 0
        assert not [path for path, _ in branch.stage.server.sent_headers if "7001" in path]


@pytest.mark.parametrize("typed", [make_nik(7001), "0824-5550-7001"])
def test_the_core_finds_a_worker_by_nik_and_phone_and_no_address_has_them(
    branch: Branch, open_tab: OpenTab, typed: str
) -> None:
    reference = branch.register()
    person = open_tab()
    person.sign_in(branch.enrol_core(), "#/search")
    person.search(typed)
    expect(person.find("registration-detail", reference=reference)).to_be_visible()
    addresses = [person.page.url, *(path for path, _ in branch.stage.server.sent_headers)]
    assert not [each for each in addresses if "7001" in each]


def test_an_admin_sees_what_the_search_shows_and_opens_nothing(branch: Branch, open_tab: OpenTab) -> None:
    reference = branch.register()
    person = open_tab()
    person.sign_in(branch.enrol("head-office", Role.ADMIN, EVERY_CAMPAIGN), "#/search")
    person.search(make_nik(7001))
    expect(person.find("search-result", reference=reference)).to_contain_text("M***** K*********")
    person.check_page("search-result")
    assert (person.problems, person.errors) == ([], [])


def test_a_wrong_phone_is_corrected_and_the_right_one_gets_the_sms(branch: Branch, open_tab: OpenTab) -> None:
    """The whole way: the worker's receipt, the registration, the correction, the SMS, the day's page."""
    reference = branch.register()
    branch.count()
    assert len(branch.list_sms(WRONG_PHONE)) == 1
    person = open_tab()
    person.sign_in(branch.stage.manager_token)
    person.search(make_receipt_code(make_capture_id(1)))
    expect(person.find("registration-detail", reference=reference)).to_be_visible()
    person.find("action-correct").click()
    person.find("correction-reason").fill("Nomor HP salah ketik")
    person.find("correction-phone").fill("0824-5550-7999")
    person.check_page("correction")
    person.find("correction-submit").click()
    expect(person.find("correction", state="applied")).to_be_visible()
    branch.publish()
    assert len(branch.list_sms(RIGHT_PHONE)) == 1
    assert len(branch.list_sms(WRONG_PHONE)) == 1
    person.page.reload()
    expect(person.page.get_by_role("cell", name="Dikoreksi", exact=True)).to_be_visible()
    person.check_page("corrected")
    person.go(f"#/campaigns/{CAMPAIGN}/days/{branch.today}")
    person.find("recount").click()
    expect(person.page.locator(".day-page .told").first).to_contain_text("sudah tercatat diperbaiki")
    person.check_page("recounted")
    assert (person.problems, person.errors) == ([], [])


def test_a_refused_correction_is_told_at_its_field(branch: Branch, manager: Person) -> None:
    reference = branch.register()
    manager.go(f"#/registrations/{reference}")
    manager.find("action-correct").click()
    manager.find("correction-reason").fill("Salah ketik")
    manager.find("correction-phone").fill("12")
    manager.find("correction-submit").click()
    expect(manager.page.locator(".field.invalid")).to_contain_text("Nomor HP")
    manager.find("correction-phone").fill("0824-5550-7999")
    manager.find("correction-submit").click()
    expect(manager.find("correction", state="applied")).to_be_visible()


def test_a_correction_after_the_payment_waits_for_the_core(branch: Branch, open_tab: OpenTab) -> None:
    reference, core = branch.register(), branch.enrol_core()
    payment = {"payment_id": "p-1", "amount": 65_600, "months": 3, "paid_at": branch.now}
    branch.send("POST", f"/v1/registrations/{reference}/payments", payment, token=core)
    manager = open_tab()
    manager.sign_in(branch.stage.manager_token, f"#/registrations/{reference}")
    manager.find("action-correct").click()
    manager.find("correction-reason").fill("Salah ketik")
    manager.find("correction-name").fill("Melati Kusumawardani")
    manager.find("correction-submit").click()
    expect(manager.find("correction", state="requested")).to_be_visible()
    expect(manager.page.get_by_text("menunggu keputusan kantor pusat")).to_be_visible()
    assert "Kusumawardani" not in manager.page.content()
    decider = open_tab()
    decider.sign_in(core, f"#/registrations/{reference}")
    expect(decider.page.get_by_text("Melati Kusumawardani")).to_be_visible()
    decider.check_page("decision")
    decider.find("decide-confirmed").click()
    expect(decider.find("correction", state="confirmed")).to_be_visible()
    assert (decider.problems, decider.errors, manager.errors) == ([], [], [])


def test_a_manager_of_another_campaign_sees_none_of_it(branch: Branch, open_tab: OpenTab) -> None:
    reference = branch.register()
    branch.count()
    person = open_tab()
    person.sign_in(branch.enrol("senen-manager", Role.MANAGER, OTHER_CAMPAIGN))
    assert person.find("campaign-row").count() == 1
    hidden = (
        "#/campaigns/tanah-abang-2024",
        "#/campaigns/tanah-abang-2024/change",
        f"#/campaigns/tanah-abang-2024/days/{branch.today}",
        f"#/campaigns/tanah-abang-2024/days/{branch.today}/versions/1",
        f"#/compare/tanah-abang-2024/{branch.today}/{OTHER_CAMPAIGN}/{branch.today}",
        f"#/campaigns/tanah-abang-2024/days/{branch.today}/rates",
        "#/campaigns/tanah-abang-2024/devices",
        "#/campaigns/tanah-abang-2024/review",
        "#/campaigns/tanah-abang-2024/review/looked_at",
        "#/campaigns/tanah-abang-2024/screens",
        "#/corrections",
        f"#/registrations/{reference}",
    )
    for fragment in hidden:
        person.go(fragment)
        expect(person.page.get_by_role("heading", name="Halaman tidak dapat ditampilkan")).to_be_visible()
        for secret in ("Pasar Tanah Abang", "van-7", "M*****"):
            assert secret not in person.page.content(), fragment
    person.search(reference)
    expect(person.page.locator("main")).to_contain_text("idak")
    assert person.find("registration-detail").count() == 0
    assert person.errors == []


def test_an_sms_is_sent_once_more_and_the_history_says_who_asked(branch: Branch, manager: Person) -> None:
    reference = branch.register()
    manager.go(f"#/registrations/{reference}")
    manager.find("action-sms").click()
    manager.find("sms-form-submit").click()
    expect(manager.find("said")).to_have_text("SMS akan dikirim lagi.")
    expect(manager.page.get_by_role("row", name="SMS diminta lagi")).to_contain_text("branch-office")
    assert manager.errors == []


def test_an_sms_to_a_worker_without_a_phone_is_refused_in_words(branch: Branch, manager: Person) -> None:
    reference = branch.register(worker={"phone": None})
    manager.go(f"#/registrations/{reference}")
    manager.find("action-sms").click()
    manager.find("sms-form-submit").click()
    expect(manager.page.locator(".outcome.bad")).to_contain_text("HP")


def test_only_what_has_happened_is_offered_as_an_sms(branch: Branch, manager: Person) -> None:
    reference = branch.register()
    manager.go(f"#/registrations/{reference}")
    manager.find("action-sms").click()
    choices = manager.find("sms-form-purpose").locator("option").all_inner_texts()
    assert choices == ["Pendaftaran diterima", "Nomor pendaftaran"]


def test_a_registration_is_cancelled_with_a_reason(branch: Branch, manager: Person) -> None:
    reference = branch.register()
    manager.go(f"#/registrations/{reference}")
    manager.find("action-cancel").click()
    manager.find("cancel-form-reason").select_option("duplicate")
    manager.check_page("cancel")
    manager.find("cancel-form-submit").click()
    expect(manager.find("registration-detail", status="cancelled")).to_be_visible()
    expect(manager.page.get_by_role("row", name="Dibatalkan").last).to_contain_text("Terdaftar dua kali")
    assert manager.find("action-cancel").count() == 0
    assert (manager.problems, manager.errors) == ([], [])


def test_the_core_sees_the_worker_and_issues_a_payment_code(branch: Branch, open_tab: OpenTab) -> None:
    reference = branch.register()
    person = open_tab()
    person.sign_in(branch.enrol_core())
    person.go(f"#/registrations/{reference}")
    expect(person.find("registration-detail")).to_contain_text(make_nik(7001))
    person.find("action-code").click()
    for name, value in (("code", "EPS-1234"), ("amount", "65600"), ("expires_on", make_expiry_day())):
        person.find(f"code-form-{name}").fill(value)
    person.find("code-form-submit").click()
    expect(person.find("registration-detail", status="awaiting_payment")).to_contain_text("EPS-1234")
    person.find("action-verification").click()
    person.find("verification-form-result").select_option("mismatch")
    person.find("verification-form-submit").click()
    expect(person.find("registration-detail", status="mismatch")).to_be_visible()
    assert person.errors == []


def test_the_core_records_a_payment_once(branch: Branch, open_tab: OpenTab) -> None:
    reference = branch.register()
    person = open_tab()
    person.sign_in(branch.enrol_core(), f"#/registrations/{reference}")
    for _ in range(2):
        person.find("action-payment").click()
        person.find("payment-form-payment_id").fill("bank-77")
        person.check_page("payment")
        person.find("payment-form-submit").click()
        expect(person.find("said")).to_have_text("Pembayaran dicatat.")
    expect(person.find("registration-detail", status="active")).to_be_visible()
    assert person.page.get_by_role("cell", name="Dibayar", exact=True).count() == 1
    assert (person.problems, person.errors) == ([], [])


def test_occupation_programmes_and_payer_are_corrected_by_choosing(branch: Branch, open_tab: OpenTab) -> None:
    reference = branch.register()
    sponsors = [{"sponsor_id": "toko-maju", "name": "Toko Maju", "quota": 5}]
    branch.send(
        "PATCH", f"/v1/campaigns/{CAMPAIGN}", {"sponsors": sponsors}, token=branch.stage.manager_token
    )
    person = open_tab(PHONE_WIDTH)
    person.sign_in(branch.stage.manager_token, f"#/registrations/{reference}")
    detail = person.find("registration-detail")
    expect(detail).to_contain_text("Porter")
    person.find("action-correct").click()
    person.find("correction-reason").fill("Salah pilih")
    for name, label in (
        ("occupations", "Pedagang pasar"),
        ("programmes", "JKK, JKM, JHT"),
        ("months", "6"),
        ("payer", "Sponsor"),
        ("sponsor_id", "Toko Maju"),
    ):
        person.find(f"correction-{name}").select_option(label=label)
    person.check_page("correction-choices")
    person.find("correction-submit").click()
    expect(person.find("said")).to_have_text("Koreksi disimpan.")
    for shown in ("Pedagang pasar", "JKK, JKM, JHT", "Sponsor: toko-maju"):
        expect(detail).to_contain_text(shown)
    assert (person.problems, person.errors) == ([], [])


def test_what_somebody_typed_stays_text(branch: Branch, open_tab: OpenTab) -> None:
    reference = branch.register(work={"place": HOSTILE}, officer="ofc-12")
    branch.send(
        "PATCH",
        "/v1/campaigns/tanah-abang-2024",
        {"name": HOSTILE, "place": HOSTILE, "managers": [{"name": HOSTILE, "email": None, "phone": None}]},
        token=branch.stage.manager_token,
    )
    branch.count()
    person = open_tab()
    person.sign_in(branch.stage.manager_token)
    for fragment in (
        "#/campaigns",
        "#/campaigns/tanah-abang-2024",
        "#/campaigns/tanah-abang-2024/change",
        f"#/campaigns/tanah-abang-2024/days/{branch.today}",
        "#/compare",
        f"#/registrations/{reference}",
    ):
        person.go(fragment)
        assert (
            HOSTILE in person.page.locator("body").inner_text()
            or "change" in fragment
            or "compare" in fragment
        )
        assert person.page.evaluate("window.hit") is None
        assert person.page.locator("main img, main b").count() == 0
    assert person.errors == []
