"""Which playbook speaks of an event: the row of its own code, else the most particular family."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from django.db.models import QuerySet

from awsint.models import Playbook
from helpdesk.kept import kept


def of_codes(codes: Iterable[str]) -> dict[str, Playbook]:
    """The playbook of each of these codes; one that none fits is missing. One statement."""
    return of_rows(codes, every())


@kept
def every() -> QuerySet[Playbook]:
    """All of them. One statement."""
    return Playbook.objects.all()


def of_rows(codes: Iterable[str], rows: Sequence[Playbook]) -> dict[str, Playbook]:
    """The same, of rows that were read already."""
    found = {code: best(code, rows) for code in set(codes)}
    return {code: row for code, row in found.items() if row}


def best(code: str, rows: Iterable[Playbook]) -> Playbook | None:
    """Of the rows that fit, the one that says most of the code by itself."""
    fitting = [row for row in rows if row.code == code or ("*" in row.code and fnmatchcase(code, row.code))]
    return max(fitting, key=lambda row: (len(row.code.replace("*", "")), row.code), default=None)


def revision(book: Playbook | None, rows: Iterable[Playbook]) -> int:
    """A number that grows whenever other words may be said of an event that `book` speaks of, and never falls."""
    return book.revision if book else max((row.revision for row in rows), default=0)


def revised(row: Playbook, before: Playbook | None) -> None:
    """Gives a playbook that changes the next number, in the caller's transaction. One that speaks of other codes from
    now on leaves those it spoke of to others: so these get it as well."""
    rows = list(Playbook.objects.select_for_update())
    row.revision = 1 + max((one.revision for one in rows), default=0)
    if before and before.code != row.code:
        Playbook.objects.update(revision=row.revision)
