"""Cora chooses, drops and pastes files, takes one back, waits for none: they stand on her ticket, the rest never was.

Told in a real browser against the running product, its worker drawing the previews. A web process is killed while a
file is on its way: nothing is left of it but what the sweep takes.
"""

import re
import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from tests.browser import chromium
from tests.stories.desk import BROWSER_STORY, Desk, wait_for
from tests.tickets import files

pytestmark = BROWSER_STORY
MB = 1024 * 1024
GIVE = """([name, type, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name, {type}));
  return data;
}"""


Choose = Callable[..., None]


@pytest.fixture
def choose(tmp_path: Path) -> Choose:
    """Chooses files that lie on a disk, as people's do: bytes would take long to hand to the browser."""

    def put(page: Any, *chosen: tuple[str, bytes]) -> None:
        for name, content in chosen:
            (tmp_path / name).write_bytes(content)
        page.set_input_files("#files", [tmp_path / name for name, _content in chosen])

    return put


@pytest.fixture
def cora(desk: Desk, browser: Any, people: dict[str, dict[str, str]]) -> Any:
    return chromium.person(browser, desk.url, people["cora"])


def begin(page: Any) -> None:
    page.goto("/tickets/create")
    page.fill("[name=title]", "只读副本延迟")
    page.fill("[name=description]", "截图和日志见附件。")
    page.check("[name=impact][value=production_part]")
    page.check("[name=urgency][value=urgent]")


def arrived(page: Any, count: int) -> None:
    page.wait_for_function("n => document.querySelectorAll('.uploads [data-state=good]').length === n", arg=count)


def rows(desk: Desk) -> list[tuple[str, bool]]:
    return [
        (n, bool(m)) for n, m in desk.sql("SELECT name, message_id FROM tickets_attachment ORDER BY created_at, id")
    ]


def lying(desk: Desk) -> set[str]:
    return {p.name for p in (desk.data / "files").rglob("*") if p.is_file()}


def test_files_go_with_a_ticket_by_every_way(
    desk: Desk, cora: Any, choose: Choose, people: dict[str, dict[str, str]]
) -> None:
    begin(cora)
    choose(cora, ("lag.png", files.picture(size=(900, 500))), ("slow.log", files.LOG * 50))
    arrived(cora, 2)
    dropped = cora.evaluate_handle(GIVE, ["report.pdf", "application/pdf", list(files.pdf(3))])
    cora.dispatch_event(".drop", "dragover", {"dataTransfer": dropped})
    assert cora.locator(".drop").get_attribute("data-state") == "over"
    cora.dispatch_event(".drop", "drop", {"dataTransfer": dropped})
    arrived(cora, 3)
    assert cora.locator(".drop").get_attribute("data-state") is None
    paste(cora, "image.png", files.picture())
    arrived(cora, 4)
    assert re.search(r"截图-\d{6}\.png", cora.locator(".uploads").inner_text())
    choose(cora, ("wrong.log", files.LOG))
    arrived(cora, 5)
    cora.click(".uploads li:last-child button")
    arrived(cora, 4)
    cora.wait_for_function("() => document.activeElement.id === 'files'")
    cora.click("button[name=file]")
    cora.wait_for_url("**/tickets/HD-*/")
    # Drawn by the worker, shown without a reload.
    cora.wait_for_function(
        "() => [...document.querySelectorAll('.files img')].filter(i => i.naturalWidth).length === 3"
    )
    assert cora.locator(".files").inner_text().count("KB") == 4
    assert {(name.split("-")[0], sent) for name, sent in rows(desk)} == {
        ("lag.png", True),
        ("slow.log", True),
        ("report.pdf", True),
        ("截图", True),
    }
    cora.click(".files a:has-text('report.pdf')")
    assert cora.locator("main img").count() == 3
    with cora.expect_download() as got:
        cora.click("main a:has-text('下载')")
    assert got.value.suggested_filename == "report.pdf"
    assert Path(got.value.path()).read_bytes() == files.pdf(3)
    nothing_foreign_is_had_by_its_address(desk, chromium.person(cora.context.browser, desk.url, people["gus"]))


def paste(page: Any, name: str, content: bytes) -> None:
    page.evaluate(
        """([name, bytes]) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], name, {type: 'image/png'}));
          const event = new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true});
          document.querySelector('[name=description]').dispatchEvent(event);
        }""",
        [name, list(content)],
    )


def test_what_cannot_be_sent_says_so_and_holds_the_form_until_it_is_gone(desk: Desk, cora: Any, choose: Choose) -> None:
    begin(cora)
    choose(
        cora,
        ("photo.png", files.EXE),
        ("huge.bin", bytes(25 * MB + 1)),
        ("empty.txt", b""),
        ("good.log", files.LOG),
    )
    arrived(cora, 1)
    words = cora.locator(".uploads").inner_text()
    for word in ("不接受可执行文件", "超过 25 MB", "文件是空的"):
        assert word in words
    cora.click("button[name=file]")
    assert cora.url.endswith("/tickets/create")
    assert cora.locator("[name=title]").input_value() == "只读副本延迟"
    assert "移除或重试" in cora.locator("[data-said]").inner_text()
    while cora.locator("li[data-state=bad]").count():
        cora.click("li[data-state=bad] button.button-icon")
    cora.click("button[name=file]")
    cora.wait_for_url("**/tickets/HD-*/")
    assert cora.locator(".files").inner_text().startswith("good.log")


def test_a_file_taken_back_on_its_way_leaves_nothing_and_sending_waits_for_the_others(
    desk: Desk, cora: Any, choose: Choose
) -> None:
    before, whole = rows(desk), lying(desk)
    begin(cora)
    slow_line(cora, 2 * MB)
    choose(cora, ("large.bin", bytes(range(256)) * 40_000))
    cora.wait_for_function("() => document.querySelector('.uploads progress')?.value > 5")
    cora.click(".uploads li button")
    wait_for("nothing of it is left", lambda: (rows(desk), lying(desk)) == (before, whole))
    assert cora.locator("[name=title]").input_value() == "只读副本延迟"
    choose(cora, ("second.bin", bytes(range(256)) * 20_000))
    cora.wait_for_selector(".uploads progress")
    cora.click("button[name=file]")
    assert "文件上传完成后会立即发送" in cora.locator("[data-said]").inner_text()
    cora.wait_for_url("**/tickets/HD-*/")
    assert "second.bin" in cora.locator(".files").inner_text()


def slow_line(page: Any, up: int) -> None:
    page.context.new_cdp_session(page).send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": up},
    )


def test_a_login_that_ended_loses_nothing(
    desk: Desk, cora: Any, choose: Choose, people: dict[str, dict[str, str]]
) -> None:
    begin(cora)
    cora.context.clear_cookies(name="session")
    choose(cora, ("a.log", files.LOG))
    cora.wait_for_selector(".uploads [data-state=bad], .uploads li[data-state=bad]")
    assert "登录已失效" in cora.locator(".uploads").inner_text()
    assert cora.locator("[name=description]").input_value() == "截图和日志见附件。"
    again = chromium.person(cora.context.browser, desk.url, people["cora"])
    cora.context.add_cookies([c for c in again.context.cookies() if c["name"] == "session"])
    cora.click(".uploads button:has-text('再试一次')")
    arrived(cora, 1)


def test_a_web_process_killed_on_the_way_leaves_no_row_and_no_file(desk: Desk, cora: Any, choose: Choose) -> None:
    before, whole = rows(desk), lying(desk)
    cookies = "; ".join(f"{c['name']}={c['value']}" for c in cora.context.cookies())
    cora.goto("/tickets/create")
    token = cora.locator("[name=csrfmiddlewaretoken]").first.input_value()
    where = urlsplit(desk.url)
    head = (
        f"POST /tickets/files?name=half.bin HTTP/1.1\r\nHost: {where.netloc}\r\nCookie: {cookies}\r\n"
        f"X-CSRFToken: {token}\r\nContent-Type: application/octet-stream\r\nContent-Length: {10 * MB}\r\n\r\n"
    )
    with socket.create_connection((where.hostname or "", where.port or 0)) as line:
        line.sendall(head.encode() + bytes(3 * MB))
        wait_for("some of it has arrived", lambda: lying(desk) - whole)
        for process in psutil.Process(desk.find("gunicorn").pid).children():
            process.kill()
    wait_for("the desk answers again", desk.answers)
    assert rows(desk) == before
    left = lying(desk) - whole
    # It lies where nobody asks for it; an hour later it is swept.
    assert all((desk.data / "files" / "incoming" / name).exists() for name in left)
    begin(cora)
    choose(cora, ("after.log", files.LOG))
    arrived(cora, 1)


def nothing_foreign_is_had_by_its_address(desk: Desk, gus: Any) -> None:
    ((number, ref),) = desk.sql(
        "SELECT a.id::text, m.ticket_id FROM tickets_attachment a JOIN tickets_message m ON m.id = a.message_id "
        "WHERE a.name = 'report.pdf'"
    )
    for path in ("", "report.pdf", "preview/0", "preview/1"):
        address = f"/tickets/HD-{ref}/files/{number}/{path}"
        answer = gus.request.get(desk.url + address)
        assert answer.status == 404, path
        with urllib.request.urlopen(desk.url + address, timeout=5) as stranger:
            assert "/accounts/login/" in stranger.url
