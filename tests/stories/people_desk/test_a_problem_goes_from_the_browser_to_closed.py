"""Cora files in Chinese; Ana finds it on top, answers, asks; Cora answers; Ana resolves; Cora confirms: closed.

Told in real browsers against the running product with its embedded PostgreSQL. Gus of another company and a visitor
who is not logged in get nothing at every door on the way. The timeline tells it in both languages.
"""

import re
from typing import Any

from tests.browser import chromium
from tests.stories.desk import BROWSER_STORY, Desk, wait_for

pytestmark = BROWSER_STORY
VERBS = ["reply", "note", "start", "ask", "resume", "resolve", "close", "reopen", "withdraw", "assign", "prioritise"]
LATIN = re.compile(r"[A-Za-z]{3,}")


def test_from_filed_to_closed(desk: Desk, browser: Any, people: dict[str, dict[str, str]]) -> None:
    cora = chromium.person(browser, desk.url, people["cora"])
    ana = chromium.person(browser, desk.url, people["ana"])
    gus = chromium.person(browser, desk.url, people["gus"])
    stranger = chromium.person(browser, desk.url)

    ref = cora_files(cora)
    nothing_for(gus, ref)
    nothing_for(stranger, ref)
    ana_finds_it_on_top(ana, ref)
    ana_answers_and_asks(ana)
    cora_answers(cora, ref)
    ana_writes_a_note_and_resolves(ana, ref)
    cora_confirms(cora, ref)
    nothing_for(gus, ref)
    the_timeline_tells_it(ana, cora, ref)


def cora_files(cora: Any) -> str:
    cora.goto("/tickets/create")
    assert cora.locator("html").get_attribute("lang") == "zh-Hans"
    cora.fill("[name=title]", "订单数据库连接超时")
    cora.fill("[name=description]", "从 **09:40** 开始，`orders-prod` 拒绝连接。")
    cora.check("[name=impact][value=production_down]")
    cora.check("[name=urgency][value=urgent]")
    promise = cora.locator(".promise:visible")
    assert "紧急" in promise.inner_text()
    assert re.search(r"\d\d:\d\d", promise.inner_text())
    cora.click("button[name=preview]")
    cora.wait_for_selector("#preview strong")
    # Twice, as impatient people do: one ticket.
    cora.dblclick("button[name=file]")
    cora.wait_for_url(re.compile(r"/tickets/HD-\d+/$"))
    ref = str(cora.url.rstrip("/").rsplit("/", 1)[1])
    assert "订单数据库连接超时" in cora.inner_text("h1")
    cora.goto("/tickets/")
    assert cora.locator("main a", has_text="订单数据库连接超时").count() == 1
    return ref


def nothing_for(page: Any, ref: str) -> None:
    for path in (f"/tickets/{ref}/", f"/tickets/?q={ref}", f"/tickets/create?follows={ref}"):
        page.goto(path)
        assert "订单数据库" not in page.content(), path
    for verb in VERBS:
        answer = page.request.post(f"/tickets/{ref}/{verb}", form={"body": "I was here", "version": "1"})
        assert answer.status in (403, 404) or "/accounts/login" in answer.url, verb
        assert "订单数据库" not in answer.text(), verb


def ana_finds_it_on_top(ana: Any, ref: str) -> None:
    ana.goto("/tickets/")
    first = ana.locator(".queue tbody tr:not(.group)").first
    assert ref in first.inner_text()
    assert re.search(r"1[0-5] m", first.locator(".c-due").inner_text())
    ana.fill("input[type=search]", "订单")
    ana.keyboard.press("Enter")
    ana.wait_for_url(re.compile("q="))
    ana.locator(".hits a", has_text="订单数据库连接超时").click()
    ana.wait_for_url(re.compile(f"/tickets/{ref}/"))
    assert "<strong>09:40</strong>" in ana.content()


def ana_answers_and_asks(ana: Any) -> None:
    ana.fill(".composer [name=body]", "Thank you. Which address do your pods use?")
    ana.select_option(".composer [name=then]", "ask")
    ana.click("button.when-reply")
    ana.wait_for_selector(".status[data-status=waiting_customer]")
    assert "Met" in ana.locator(".clock", has_text="First response").inner_text()


def cora_answers(cora: Any, ref: str) -> None:
    cora.goto(f"/tickets/{ref}/")
    assert "轮到您" in cora.inner_text(".state-now")
    cora.fill("[name=body] >> visible=true", "用的是写入端点。")
    cora.click("form[action$='/reply'] button.button-primary")
    cora.wait_for_selector("article:has-text('用的是写入端点')")
    assert "我们正在处理" in cora.inner_text(".state-now")


def ana_writes_a_note_and_resolves(ana: Any, ref: str) -> None:
    ana.goto(f"/tickets/{ref}/")
    ana.click(".composer label:has([value=note])")
    ana.fill(".composer [name=body]", "Their pool was too small again.")
    ana.click("button.when-note")
    ana.wait_for_selector(".msg-note")
    ana.click("summary:has-text('Resolve')")
    ana.fill("#resolve-body", "The pool is larger now and connections succeed.")
    ana.click("form[action$='/resolve'] button")
    ana.wait_for_selector(".status[data-status=resolved]")


def cora_confirms(cora: Any, ref: str) -> None:
    cora.goto(f"/tickets/{ref}/")
    assert "too small again" not in cora.content()
    assert "是否" in cora.inner_text(".state-now")
    cora.click("form[action$='/close'] button")
    cora.wait_for_selector("a[href*='follows=']")
    assert "已关闭" in cora.inner_text(".state-now")


def the_timeline_tells_it(ana: Any, cora: Any, ref: str) -> None:
    ana.goto(f"/tickets/{ref}/")
    english = ana.inner_text(".timeline")
    for words in ("With customer", "Resolved", "closed it", "Internal note"):
        assert words in english
    cora.goto(f"/tickets/{ref}/")

    def lines_of(page: Any) -> list[str]:
        page.reload()
        found: list[str] = page.locator(".happened li").all_inner_texts()
        return found if any("等待" in line for line in found) else []

    # What came with the last word shows with it, once it can no longer be taken back.
    lines = wait_for("the words are with the customer", lambda: lines_of(cora))
    assert any("解决" in line for line in lines)
    # No English is left in what the desk itself says to a Chinese reader.
    strays = [w for line in lines for w in LATIN.findall(line) if w not in ("Ana", "Costa", "Cora", "Chen")]
    assert strays == []


def test_with_a_passkey_nobody_types_a_password(desk: Desk, browser: Any, people: dict[str, dict[str, str]]) -> None:
    """Added after a password, then the only thing asked for; the browser's own key store, held by Chromium's."""
    # A key belongs to a name and not to a number.
    ana = chromium.person(browser, desk.url.replace("127.0.0.1", "localhost"), people["ana"])
    store = ana.context.new_cdp_session(ana)
    store.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    store.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": kind | {"isUserVerified": True, "automaticPresenceSimulation": True}},
    )
    ana.goto("/accounts/2fa/webauthn/add/")
    if "reauthenticate" in ana.url:
        ana.fill("[name=password]", people["ana"]["password"])
        ana.click("main form button.button-primary")
    ana.fill("[name=name]", "Laptop")
    ana.check("[name=passwordless]")
    ana.click("#mfa_webauthn_add")
    ana.wait_for_url("**/accounts/2fa/recovery-codes/**")
    ana.context.clear_cookies()
    ana.goto("/accounts/login/?next=/account/")
    ana.click("#passkey_login")
    ana.wait_for_url(re.compile(r"^http://[^/]+/account/$"))
    assert people["ana"]["email"] in ana.content()
