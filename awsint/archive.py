"""Finding a case among all there ever were: by its number, AWS's own id of it, or words of its subject.

AWS forgets cases after 24 months and we do not, so it is the archive that is searched and not AWS. Numbers are found by
how they begin; words as on tickets (tickets/search.py), in Chinese and in English. What is rare is taken from the index
of words; of what is common the newest are met soon on the way through the list.
"""

from typing import Any

from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from awsint.models import SupportCase
from awsint.wishes import digits
from helpdesk import refs
from tickets import cutting, search

# Matches up to so many are sorted; of more the list itself is walked, which meets enough of them soon.
RARE = 1000
SHORTEST_NUMBER = 4


def index(case: SupportCase) -> None:
    """Makes a case findable by its subject; in the transaction that writes it. One statement."""
    SupportCase.objects.filter(pk=case.pk).update(words=RawSQL("%s::tsvector", [words_of(case.subject)]))


def words_of(subject: str) -> str:
    return cutting.literal(subject, "", ())


def matching(rows: QuerySet[Any], typed: str) -> QuerySet[Any]:
    """Those of `rows` that somebody may mean. One statement at once where words are looked for."""
    if typed.upper().startswith("HD") and (ticket := refs.number(typed)):
        return rows.filter(links__ticket=ticket)
    number = digits(typed)
    if len(number) >= SHORTEST_NUMBER:
        if len(number) == 12:
            return rows.filter(Q(account__number=number) | Q(display_id__startswith=number))
        return rows.filter(display_id__startswith=number)
    if typed.startswith("case-"):
        return rows.filter(case_id__startswith=typed)
    return _saying(rows, typed)


def _saying(rows: QuerySet[Any], typed: str) -> QuerySet[Any]:
    asked = search.question(typed)
    if not asked.words:
        return rows.none()
    parts = [*(f"({word.query})" for word in asked.words), *(f"!({word.query})" for word in asked.without)]
    says = RawSQL("awsint_supportcase.words @@ %s::tsquery", [" & ".join(parts)], BooleanField())
    for phrase in asked.phrases:
        rows = rows.filter(subject__icontains=phrase)
    some = list(SupportCase.objects.filter(says).order_by().values_list("pk", flat=True)[: RARE + 1])
    return rows.filter(pk__in=some) if len(some) <= RARE else rows.filter(says)
