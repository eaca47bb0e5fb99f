"""Which playbook speaks of an event: the row of its own code, else the most particular family."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from awsint.models import Playbook


def of_codes(codes: Iterable[str]) -> dict[str, Playbook]:
    """The playbook of each of these codes; one that none fits is missing. One statement."""
    rows = list(Playbook.objects.all())
    found = {code: best(code, rows) for code in set(codes)}
    return {code: row for code, row in found.items() if row}


def best(code: str, rows: Iterable[Playbook]) -> Playbook | None:
    """Of the rows that fit, the one that says most of the code by itself."""
    fitting = [row for row in rows if row.code == code or ("*" in row.code and fnmatchcase(code, row.code))]
    return max(fitting, key=lambda row: (len(row.code.replace("*", "")), row.code), default=None)
