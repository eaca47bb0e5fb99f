"""Who is on duty, and how: one function for all who ask.

There are no rosters yet, so every active engineer who is not on leave is on shift. A roster will say primary,
secondary, next (and in how many seconds) or off in the same place.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from helpdesk.accounts.models import StaffRole, key_of
from helpdesk.kept import fetched
from oncall.models import CAPACITY


class Colleague(NamedTuple):
    """One colleague at an instant. `shift` is primary, secondary, on, next or off; `skill` is of the asked family."""

    user: int
    name: str
    email: str
    language: str
    zone: str
    shift: str
    next_shift_in_s: int | None
    leave: bool
    languages: tuple[str, ...]
    capacity: int
    skill: int

    @property
    def key(self) -> str:
        return key_of(self.user)


# As text, because every new ticket asks it.
SQL = """
SELECT u.id, u.name, u.email, u.language, u.zone, l.user_id IS NOT NULL, e.languages, e.capacity, s.level
FROM accounts_user u
LEFT JOIN oncall_engineer e ON e.user_id = u.id
LEFT JOIN oncall_skill s ON s.user_id = u.id AND s.family = %s
LEFT JOIN (SELECT DISTINCT user_id FROM oncall_leave WHERE starts_at <= %s AND ends_at > %s) l ON l.user_id = u.id
WHERE u.is_active AND u.staff_role = ANY(%s)
ORDER BY u.id
"""


def duty(at: datetime, service: str = "", roles: Iterable[str] = (StaffRole.ENGINEER,)) -> list[Colleague]:
    """The active colleagues of `roles`, by id, and how each is on duty at `at`. One statement."""
    return [_colleague(*row) for row in fetched(SQL, [service, at, at, [str(role) for role in roles]])]


def _colleague(
    user: int,
    name: str,
    email: str,
    language: str,
    zone: str,
    leave: bool,
    languages: list[str] | None,
    capacity: int | None,
    skill: int | None,
) -> Colleague:
    spoken = tuple(languages) if languages else (spoken_code(language),)
    shift, room = "off" if leave else "on", CAPACITY if capacity is None else capacity
    return Colleague(user, name, email, language, zone, shift, None, leave, spoken, room, skill or 0)


def spoken_code(language: str) -> str:
    """The language somebody speaks, of the one they read: zh of zh-hans."""
    return language.partition("-")[0]
