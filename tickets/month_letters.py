"""The letter with a month's report: to a company's administrators, in the customer's language, with the paper.

Whether somebody is an administrator is asked when it leaves: who is none any more gets none.
"""

import logging
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from helpdesk.accounts.actions import admins_of
from helpdesk.accounts.models import Customer
from helpdesk.outbox.content import Content, NobodyLeft
from helpdesk.outbox.models import Letter
from helpdesk.storage import Away
from sla.models import MonthReport
from tickets import month_page, month_pdf

log = logging.getLogger(__name__)
AT = datetime(2026, 4, 2, 19, 0, tzinfo=UTC)


def content(letter: Letter, at: datetime) -> Content | None:
    """What the letter says at an instant. Raises NobodyLeft."""
    report = MonthReport.objects.select_related("customer").filter(pk=letter.data.get("report")).first()
    if report is None:
        return None
    admins = {m.user.key: m.user.name for m in admins_of(report.customer).select_related("user")}
    if letter.to_key not in admins:
        raise NobodyLeft("no administrator of this company any more")
    files = _paper(report, letter.language, at)
    return Content(said(report, admins[letter.to_key], with_paper=bool(files)), admins, automatic=True, files=files)


def _paper(report: MonthReport, language: str, at: datetime) -> list[tuple[str, bytes, str]]:
    try:
        _row, made = month_pdf.pdf_of(report, language, at)
    except (month_pdf.Unset, Away, OSError):
        # The letter is worth something without it: the page it links to has the paper too.
        log.exception("no PDF of %s of customer %s", report, report.customer_id)
        return []
    return [(filename(report), made, month_pdf.TYPE)]


def filename(report: MonthReport, form: str = "pdf") -> str:
    """ "SLA-ACME-2026-10.pdf": letters and digits of the code alone."""
    code = "".join(c for c in report.customer.code if c.isascii() and (c.isalnum() or c in "-_"))
    return f"SLA-{code}-{report.month:%Y-%m}.{form}"


def said(report: MonthReport, name: str, *, with_paper: bool) -> dict[str, Any]:
    """What the templates ask for."""
    return {
        "name": name,
        "company": report.customer.name,
        "month": month_page.month_word(report.data["month"]),
        "facts": month_page.facts(report.customer, report.data, report),
        "with_paper": with_paper,
        "sha256": report.sha256,
        "link": f"{settings.SITE_URL}/sla/months/{report.customer_id}/{report.month:%Y-%m}",
    }


def sample(kind: str, language: str) -> tuple[Letter, Content]:
    """A letter that nobody gets, of a month nobody had."""
    names = {"zh-hans": ("周晓雯", "蓝海电商"), "en": ("Maya Turner", "Harbour Books")}[language]
    customer = Customer(pk=UUID(int=7), name=names[1], code="SAMPLE")
    data = {
        "month": "2026-03",
        "zone": "Asia/Shanghai",
        "contract": "SUP-2026-017",
        "all": [17, 2, 2],
        "credit": {"fee": "20000.00", "currency": "CNY", "percent": 10, "amount": "2000.00"},
    }
    report = MonthReport(customer=customer, month=date(2026, 3, 1), no=3, data=data, sha256="0" * 64, frozen_at=AT)
    letter = Letter(
        pk=7, kind=kind, to_key="sample", to_address="customer@customer.example", language=language,
        zone="Asia/Shanghai", created_at=AT,
    )  # fmt: skip
    return letter, Content(said(report, names[0], with_paper=True), {"sample": names[0]}, automatic=True)
