"""How long it takes to choose among many engineers: reading, deciding and writing, inside one transaction."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.utils import timezone

from helpdesk.accounts.models import StaffRole, User
from oncall.families import FAMILIES
from oncall.models import Engineer, Skill
from tickets import assigning
from tickets.models import Load, Ticket

MANY = 500
ROUNDS = 60
LIMIT_MS = 10


class Undo(Exception):
    """Leaves a transaction without a trace."""


def told() -> str:
    """The parts in one line, with a verdict."""
    parts = dict(taken())
    verdict = "ok" if parts["both"] <= LIMIT_MS else "MISSED"
    return (
        f"read and decide {parts['choose']:.1f}, write {parts['keep']:.1f}, both {parts['both']:.1f} "
        f"(<= {LIMIT_MS} ms: {verdict})"
    )


def taken() -> list[tuple[str, float]]:
    """Milliseconds, p50 of each part and of the whole, among MANY engineers; nothing of it stays."""
    ticket = Ticket.objects.select_related("customer", "requester").latest("id")
    found: dict[str, list[float]] = {"choose": [], "keep": [], "both": []}
    with many_engineers():
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            choice = assigning.choose(
                customer=ticket.customer,
                reader=ticket.requester,
                service="database",
                priority="high",
                response_due_in_s=3600,
                at=timezone.now(),
            )
            chosen = time.perf_counter()
            assigning.keep(choice, ticket, at=timezone.now())
            ended = time.perf_counter()
            for name, seconds in (("choose", chosen - begun), ("keep", ended - chosen), ("both", ended - begun)):
                found[name].append(seconds * 1000)
    return [(name, statistics.median(times)) for name, times in found.items()]


@contextmanager
def many_engineers() -> Iterator[None]:
    """As many engineers as MANY in all, for the length of a transaction that is undone."""
    try:
        with transaction.atomic():
            have = User.objects.filter(staff_role=StaffRole.ENGINEER, is_active=True).count()
            at = timezone.now()
            more = User.objects.bulk_create(
                User(email=f"many-{n}@bench.example", name=f"Engineer {n}", staff_role="engineer", created_at=at)
                for n in range(MANY - have)
            )
            Engineer.objects.bulk_create(Engineer(user=u, capacity=30_000, languages=["zh", "en"]) for u in more)
            Load.objects.bulk_create(Load(user=u, points=n % 40) for n, u in enumerate(more))
            Skill.objects.bulk_create(
                Skill(user=u, family=family, level=(n + m) % 4)
                for n, u in enumerate(more)
                for m, family in enumerate(FAMILIES)
            )
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE accounts_user, oncall_engineer, oncall_skill, tickets_load")
            yield
            raise Undo
    except Undo:
        pass
