"""Previews of files, made by a worker: it fetches the file, has it drawn by a process of its own, stores the pictures.

A preview is a row's own wish (`Attachment.preview`): the queue only nudges, a sweep finds what was forgotten. A try is
counted before it begins, so that a file which kills its worker is given up after the third.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import F

from helpdesk import embedded
from helpdesk.storage import Away, store
from tickets import attaching
from tickets.models import Attachment

log = logging.getLogger(__name__)

MOST_TRIES = 3
AGAIN_AFTER = timedelta(minutes=2)
PATIENCE_S = 40
AT_A_TIME = 20


def draw_due(at: datetime) -> int:
    """Draws what nobody has drawn yet; returns how many were tried."""
    due = Attachment.objects.filter(preview=Attachment.Preview.WANTED, next_try_at__lte=at)
    ids = list(due.order_by("next_try_at").values_list("pk", flat=True)[:AT_A_TIME])
    return sum(draw(one, at) for one in ids)


def draw(file: UUID, at: datetime) -> bool:
    """Draws one file, unless somebody else does; whether it was tried."""
    mine = Attachment.objects.filter(pk=file, preview=Attachment.Preview.WANTED, next_try_at__lte=at)
    if mine.filter(tries__gte=MOST_TRIES).update(preview=Attachment.Preview.FAILED):
        return False
    if not mine.update(tries=F("tries") + 1, next_try_at=at + AGAIN_AFTER):
        return False
    one = Attachment.objects.get(pk=file)
    try:
        _draw(one)
    except (OSError, Away, ValueError, subprocess.SubprocessError) as error:
        log.warning("no preview of %s: %s", one.key, error)
        if one.tries >= MOST_TRIES or isinstance(error, Undrawable):
            Attachment.objects.filter(pk=file).update(preview=Attachment.Preview.FAILED)
    return True


class Undrawable(ValueError):
    """The decoder says no, and would say so again."""


def _draw(one: Attachment) -> None:
    with tempfile.TemporaryDirectory(prefix="preview-", dir=store().spool) as folder:
        file, out = Path(folder) / "file", Path(folder) / "out"
        out.mkdir()
        with file.open("wb") as copy:
            for block in store().read(one.key):
                copy.write(block)
        drawn = _ask(one.type, file, out)
        one.pages, one.width, one.height = drawn["pages"], drawn["width"], drawn["height"]
        for page, key in enumerate(attaching.preview_keys(one)):
            store().put(key, out / str(page))
    made = {"preview": Attachment.Preview.MADE, "pages": one.pages, "width": one.width, "height": one.height}
    if not Attachment.objects.filter(pk=one.pk).update(**made):
        # Its sender took it back meanwhile.
        attaching.drop(attaching.preview_keys(one))


def _ask(kind: str, file: Path, out: Path) -> dict[str, int]:
    """The drawing process's answer. Raises Undrawable."""
    program = str(settings.BASE_DIR / "tickets" / "drawing.py")
    with subprocess.Popen(  # noqa: S603
        # Isolated: neither this folder nor the environment has a say in what is imported.
        [sys.executable, "-I", program, kind, str(file), str(out)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Nothing of ours: the environment holds secrets.
        env={"PATH": os.defpath},
        cwd=out,
        start_new_session=True,
        preexec_fn=embedded.die_with_parent(signal.SIGKILL),
    ) as child:
        try:
            said, _nothing = child.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired as error:
            child.kill()
            raise Undrawable("it took too long") from error
    if child.returncode == -signal.SIGKILL:
        raise ChildProcessError("the drawing process was killed")
    if child.returncode:
        raise Undrawable(f"the drawing process ended with {child.returncode}")
    return dict(json.loads(said))
