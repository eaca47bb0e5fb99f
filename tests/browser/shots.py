"""`make shots`: the README's screenshots, taken from a desk that is started for them and stopped again."""

from pathlib import Path
from typing import Any

from tests.browser import chromium
from tests.stories.desk import Desk, running

HERE = Path(__file__).resolve().parent / "shots"
WIDE = {"width": 1440, "height": 900}
SHOTS = [
    # name, who, path or a function of the page, language
    ("queue", "engineer", "/tickets/"),
    ("ticket", "engineer", "the busiest"),
    ("create", "customer", "/tickets/create"),
    ("portal", "customer", "the busiest"),
]


def main() -> None:
    HERE.mkdir(exist_ok=True)
    with running("full") as desk, chromium.browser() as browser:
        for language in ("zh", "en"):
            _take(desk, browser, language)


def _take(desk: Desk, browser: Any, language: str) -> None:
    people = (desk.run_file() or {})["people"]
    code = "zh-hans" if language == "zh" else "en"
    rows = desk.sql(
        "SELECT t.id, u.email, a.email FROM tickets_ticket t JOIN accounts_user u ON u.id = t.requester_id "
        "JOIN accounts_user a ON a.id = t.assigned_to_id WHERE u.language = %s "
        "AND a.language = u.language AND t.status = 'in_progress' "
        "ORDER BY (SELECT count(*) FROM tickets_message m WHERE m.ticket_id = t.id) DESC, t.id LIMIT 1",
        code,
    )
    number, requester, engineer = rows[0]
    for name, side, path in SHOTS:
        mail = engineer if side == "engineer" else requester
        login = next(p for p in people if p["email"] == mail)
        page = chromium.person(browser, desk.url, login, viewport=WIDE, locale="zh-CN" if language == "zh" else "en-GB")
        page.goto(f"/tickets/HD-{number}/" if path == "the busiest" else path)
        if name == "create":
            _fill(page, language)
        page.screenshot(path=HERE / f"{name}.{language}.png", full_page=name == "create")
        page.context.close()


def _fill(page: Any, language: str) -> None:
    chinese = language == "zh"
    page.fill(
        "[name=title]", "RDS 只读副本延迟持续上升" if chinese else "Replica lag of our orders database keeps rising"
    )
    page.fill(
        "[name=description]",
        "早上 8 点 40 分开始，两个只读副本的延迟从 2 秒涨到 900 秒。"
        if chinese
        else "Since 08:40 the lag of both replicas of `orders-prod` rose from 2 s to 900 s.",
    )
    page.check("[name=impact][value=production_part]")
    page.check("[name=urgency][value=urgent]")


if __name__ == "__main__":
    main()
