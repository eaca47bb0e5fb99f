"""The tables are made once a run: whichever process comes first migrates, and every process begins with a copy.

Only on the server that the tests start themselves (tests/database.py): it goes with the run, and what lies on it too.
Where there is one process alone it migrates its own database, as Django does.
"""

import fcntl
import os
from pathlib import Path

from django.conf import settings
from django.db import connection

TEMPLATE = "tables_of_this_run"


def make_once() -> str:
    """The database to copy; the first that asks makes it, and the others wait meanwhile."""
    made = Path(os.environ["HELPDESK_FIRST_STARTS"]) / "tables"
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            _make()
            made.touch()
    return TEMPLATE


def _make() -> None:
    name, of_tests = connection.settings_dict["NAME"], connection.settings_dict["TEST"]
    before = of_tests["NAME"]
    of_tests["NAME"] = TEMPLATE
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    # A template is copied while nobody is connected to it.
    connection.close()
    of_tests["NAME"] = before
    connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = name
