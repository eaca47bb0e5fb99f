"""Cases in a file, as the replay commands take them: a JSON list, or one clear line and exit 2."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError


def read(file: str) -> list[Any]:
    """The list in `file`, or on standard input where that is "-". Raises CommandError, which names what is wrong."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        found = json.loads(text)
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as why:
        raise CommandError(f"{file}: {why}", returncode=2) from why
    if not isinstance(found, list):
        raise CommandError(f"{file}: a list of cases is needed, not {type(found).__name__}", returncode=2)
    return found
