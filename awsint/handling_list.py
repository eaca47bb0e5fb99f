"""/aws/tickets/<ref>/resources: a customer's resources in an event, found by word and state, page by page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from awsint.handling import HANDLED, IS_OVER, TO_DO, resources
from awsint.models import AffectedCustomer, AffectedEntity
from awsint.wishes import Wish, choice, digits, number, word
from helpdesk import refs
from helpdesk.accounts.models import User
from helpdesk.sheets import Cell, Sheet, instant
from tickets.models import Ticket

ROWS = 50
STATES = {"to_do": (_l("to do"), TO_DO), "handled": (_l("handled"), HANDLED), "over": (_l("resolved at AWS"), IS_OVER)}


@dataclass(frozen=True)
class Asked(Wish):
    q: str = ""
    state: str = ""

    @classmethod
    def read(cls, get: Mapping[str, str]) -> "Asked":
        return cls(q=word(get, "q"), state=choice(get, "state", STATES), after=word(get, "after"))

    @property
    def named(self) -> Q:
        """What the words of the search mean; everything without any."""
        found = Q(value__icontains=self.q) | Q(arn__icontains=self.q) | Q(account__account__name__icontains=self.q)
        if copied := digits(self.q):
            found |= Q(account__number__contains=copied)
        return found if self.q else Q()


def ref_of(part: AffectedCustomer) -> str:
    """The number of the ticket that a part was opened as."""
    return refs.ref(part.ticket_id or 0)


def access_part(user: User, ref: str) -> tuple[AffectedCustomer, Ticket]:
    """The part in an event that a ticket stands for, and the ticket where this person finds it: that one, or the one
    it was merged into. Raises Http404. Two statements."""
    parts = AffectedCustomer.objects.select_related("event", "ticket").filter(ticket__customer=F("customer"))
    part = parts.filter(ticket=refs.number(ref) or 0).first()
    if part is None:
        raise Http404
    places = Ticket.objects.visible_to(user).filter(pk__in=[part.ticket_id, part.ticket.merged_into_id or 0])
    seen = {ticket.pk: ticket for ticket in places}
    found = seen.get(part.ticket.merged_into_id or 0) or seen.get(part.ticket_id)
    if found is None:
        raise Http404
    return part, found


def chosen(part: AffectedCustomer, wish: Asked) -> QuerySet[AffectedEntity]:
    """What a wish means."""
    return resources(part).filter(wish.named, STATES[wish.state][1] if wish.state else Q())


def page(part: AffectedCustomer, wish: Asked) -> tuple[list[AffectedEntity], str]:
    """A page of them and the key of the next. One statement, two from the second page on."""
    rows = chosen(part, wish).select_related("account__account", "handled_by")
    if last := resources(part).filter(pk=number(wish.after) or 0).values_list("account", "value").first():
        rows = rows.filter(TupleGreaterThan(Tuple(F("account"), F("value")), last))
    found = list(rows[: ROWS + 1])
    return found[:ROWS], str(found[ROWS - 1].pk) if len(found) > ROWS else ""


def sheet(user: User, part: AffectedCustomer, wish: Asked) -> Sheet:
    head = [
        _("Account"), _("Number"), _("Resource"), _("Status"), _("Before"), _("Changed"), _("AWS's time"), _("Handled"),
        _("By"), "ARN",
    ]  # fmt: skip
    return Sheet(_("Resources"), head, _rows(user, part, wish))


def _rows(user: User, part: AffectedCustomer, wish: Asked) -> Iterator[list[Cell]]:
    rows = chosen(part, wish).select_related("account__account", "handled_by")
    for one in rows.iterator(chunk_size=1000):
        account = one.account.account
        yield [
            account.name if account else "", one.account.number, one.value, one.status, one.before,
            instant(one.changed_at, user.zone), instant(one.updated_at, user.zone), instant(one.handled_at, user.zone),
            one.handled_by.name if one.handled_by else "", one.arn,
        ]  # fmt: skip
