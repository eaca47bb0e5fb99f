"""A half-configured desk does not start, says why in one line, and a whole one has nothing to warn of."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = "s3cret-" + "abcdefghij0123456789" * 3
WHOLE = {
    "SITE_URL": "https://desk.example",
    "SECRET_KEY": SECRET,
    "DATABASE_URL": "postgres://u:p@127.0.0.1:1/x",
    "EMAIL_URL": "smtp://desk:secret@mail.example:587",
}


def run(*command: str, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HELPDESK_DATA", "HOME")}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=kept | env, capture_output=True, text=True, timeout=60
    )


HALF = {
    "E001 no address": {"SITE_URL": "desk.example"},
    "E001 a path": {"SITE_URL": "https://desk.example/help"},
    "E002 open to the net without https": {"SITE_URL": "http://desk.example"},
    "E003 no secret": {"SECRET_KEY": ""},
    "E003 a short secret": {"SECRET_KEY": "short"},
    "E004 any host": {"ALLOWED_HOSTS": "desk.example,*"},
    "E005 no database": {"DATABASE_URL": ""},
    "E007 no mail server": {"EMAIL_URL": "mail.example"},
    "E007 a user without a password": {"EMAIL_URL": "smtp://desk@mail.example"},
    "E007 a word that nobody knows": {"EMAIL_URL": "smtp://mail.example?speed=9"},
    "E007 no region": {"EMAIL_URL": "ses://"},
    "E008 no mail at all": {"EMAIL_URL": ""},
    "E009 an address for a domain": {"MAIL_DOMAIN": "support@desk.example"},
}


@pytest.mark.parametrize("what", HALF)
def test_a_half_configured_desk_refuses_at_every_door(what: str) -> None:
    env = WHOLE | HALF[what]
    number = what.split()[0]
    checked = run("manage.py", "check", **env)
    assert (checked.returncode, f"helpdesk.{number}" in checked.stderr) == (1, True), checked.stderr
    served = run("-c", "import helpdesk.wsgi", **env)
    assert served.returncode == 1
    assert f"helpdesk.{number}" in served.stderr.strip().splitlines()[-1]


def test_a_whole_one_starts_and_the_deploy_check_finds_nothing() -> None:
    checked = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", **WHOLE)
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stderr
    served = run("-c", "import helpdesk.wsgi", **WHOLE)
    assert (served.returncode, served.stderr) == (0, "")


def test_on_ones_own_machine_nothing_needs_to_be_set() -> None:
    assert run("manage.py", "check").returncode == 0
