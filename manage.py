#!/usr/bin/env python
"""The one door for commands: `manage.py up`, `worker`, `migrate` and the rest."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    if sys.argv[1:] == ["up"]:
        # It needs no Django, and must not: it makes what the settings read.
        os.chdir(os.path.dirname(os.path.abspath(__file__)))
        os.execv(sys.executable, [sys.executable, "-m", "helpdesk.supervisor"])  # noqa: S606
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
