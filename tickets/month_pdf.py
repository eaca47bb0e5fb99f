"""A frozen month as PDF: set by a process of its own, kept in the storage, made once a language.

The same report is the same file: its time is that of the freeze, and its digest stands in the row beside it.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pylopdf_fonts_zh_cn
from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from helpdesk import embedded, site
from helpdesk.models import SiteSettings
from helpdesk.storage import store
from sla import words
from sla.models import MonthFile, MonthReport
from sla.months import Listed
from tickets import month_tables
from tickets.month_page import facts, speaker, title

TYPE = "application/pdf"
ACCENT = "#25508f"
PATIENCE_S = 40
# Of a large customer the paper shows so many clocks; all of them stand in the book.
MOST_CLOCKS = 400


class Unset(Exception):
    """The PDF could not be made; trying again may help."""


def pdf_of(report: MonthReport, language: str, at: datetime) -> tuple[MonthFile, bytes]:
    """The report on paper: as it was made before, or made now. Raises Unset, storage.Away, OSError."""
    known = MonthFile.objects.filter(report=report, language=language).first()
    if known is not None:
        return known, b"".join(store().read(known.key))
    made = set_in_type(paper(report, language))
    return _keep(report, language, made, at), made


def _keep(report: MonthReport, language: str, made: bytes, at: datetime) -> MonthFile:
    key = uuid4().hex
    part = store().spool / key
    part.write_bytes(made)
    store().put(key, part)
    row = MonthFile(
        report=report,
        language=language,
        key=key,
        sha256=hashlib.sha256(made).hexdigest(),
        size=len(made),
        made_at=at,
    )
    with transaction.atomic():
        # Who made it first wins; what the second one stored belongs to nobody and is swept.
        MonthFile.objects.bulk_create([row], ignore_conflicts=True)
    return MonthFile.objects.get(report=report, language=language)


def paper(report: MonthReport, language: str) -> dict[str, Any]:
    """What the paper says, as texts in one language."""
    with translation.override(language):
        data, house = report.data, site.current()
        say = speaker(data, words.read().priorities)
        listed = [Listed(*row) for row in data["clocks"]]
        tables = [
            month_tables.attainment(data, say),
            month_tables.excluded(data),
            month_tables.work(data),
            month_tables.clocks(listed, say),
        ]
        told = facts(report.customer, data, report)
        zone, frozen = data["zone"], month_tables.Speaker.time(say, f"{report.frozen_at:%Y-%m-%dT%H:%M:%S%z}").text
        return {
            "lang": "zh" if language.startswith("zh") else "en",
            "at": report.frozen_at.isoformat(),
            "site": house.name_zh if language.startswith("zh") else house.name_en,
            "colour": house.colour or ACCENT,
            "logo": bool(house.logo_digest),
            "title": title(report.customer.name, data["month"]),
            "lede": _("Report of kept promises; times in %(zone)s; frozen %(time)s") % {"zone": zone, "time": frozen},
            "facts": [[one.label, one.text, one.big] for one in told],
            "tables": [_as_data(table) for table in tables],
            "foot": f"No. {report.no} · sha256 {report.sha256}",
        }


def _as_data(table: month_tables.Table) -> dict[str, Any]:
    shown, note = table.rows[:MOST_CLOCKS], table.note
    if len(table.rows) > len(shown):
        note = _("%(count)s further ones stand in the spreadsheet.") % {"count": len(table.rows) - len(shown)}
    return {
        "title": table.title,
        "note": note,
        "empty": table.empty,
        "columns": list(table.columns),
        "numbers": table.numbers_from,
        "bars": [list(bar) for bar in table.bars],
        "rows": [[{"text": cell.text, "bad": cell.bad} for cell in row] for row in shown],
    }


def set_in_type(told: dict[str, Any]) -> bytes:
    """The PDF's bytes. Raises Unset."""
    here = settings.BASE_DIR / "tickets"
    with tempfile.TemporaryDirectory(prefix="month-", dir=store().spool) as folder:
        place = Path(folder)
        (place / "month.typ").write_bytes((here / "month.typ").read_bytes())
        if told["logo"]:
            told["logo"] = _logo(place / "logo.png")
        fonts = str(Path(pylopdf_fonts_zh_cn.__file__).parent)
        with subprocess.Popen(  # noqa: S603
            # Isolated, as whatever decodes or sets is: nothing of ours but the program (previewing.py).
            [sys.executable, "-I", str(here / "typesetting.py"), folder, fonts],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={"PATH": os.defpath},
            cwd=folder,
            start_new_session=True,
            preexec_fn=embedded.die_with_parent(signal.SIGKILL),
        ) as child:
            try:
                _said, trouble = child.communicate(json.dumps(told, ensure_ascii=False).encode(), PATIENCE_S)
            except subprocess.TimeoutExpired as error:
                child.kill()
                raise Unset("setting it took too long") from error
        if child.returncode:
            raise Unset(trouble.decode(errors="replace")[-300:])
        return (place / "out.pdf").read_bytes()


def _logo(place: Path) -> bool:
    row = SiteSettings.objects.first()
    if row is None or not row.logo or row.logo_type != "image/png":
        return False
    place.write_bytes(bytes(row.logo))
    return True
