"""The pulse: each second it does what is due, step by step, and says that it lives.

A step that fails is logged, shown in the heartbeat's note, and tried again when it is next due; the others go on.
Several pulses may run: steps claim what they work on.
"""

import logging
import time
from datetime import datetime

from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string

from helpdesk.models import Heartbeat
from helpdesk.schedule import PULSE
from helpdesk.supervisor import Stop

log = logging.getLogger(__name__)


def run(stop: Stop) -> None:
    """Beats until it is told to stop."""
    due = dict.fromkeys((name for name, _, _ in PULSE), 0.0)
    while not stop.wait(1 - time.time() % 1):
        beat(timezone.now(), due)


def beat(at: datetime, due: dict[str, float]) -> None:
    """One second's work. `due` holds when each step is next wanted, in monotonic seconds."""
    failed = [problem for name, path, every in PULSE if (problem := _step(name, path, every, at, due))]
    try:
        Heartbeat.beat("pulse", at, "; ".join(failed))
    except Exception:
        log.exception("the pulse could not say that it lives")
        connection.close()


def _step(name: str, path: str, every: int, at: datetime, due: dict[str, float]) -> str | None:
    if time.monotonic() < due[name]:
        return None
    due[name] = time.monotonic() + every
    try:
        done = import_string(path)(at)
    except Exception as error:
        log.exception("step %s of the pulse failed", name)
        connection.close()
        return f"{name}: {error}"
    if getattr(done, "unfinished", False):
        # A heap of work, a bite a second, so that the other steps are not kept waiting.
        due[name] = 0.0
    return None
