"""What the demo's desk says of its broken promises: causes, apologies, and one that was excused.

An engineer who solves a ticket whose promise was broken writes down why and apologises with the same reply; the lead
goes through the rest. Causes of the last days are still owed, and one of before: there is something to do.
"""

from datetime import datetime, timedelta

from helpdesk.accounts.models import User
from sla.models import Breach
from tickets import apology, breaches, register
from tickets.models import Ticket

# Kind of cause, what happened, what changes; in Chinese and in English.
CAUSES = {
    True: [
        ("late_start", "夜班交接时没有看到队列顶部的工单。", "交接清单增加“先看到期时间”一项，由双方签字。"),
        ("workload", "同一小时内有三张紧急工单，人手不足。", "紧急工单超过两张时，副值班自动加入。"),
        ("supplier", "等待 AWS 回复超过预期，没有及时升级案例。", "AWS 案例超过一小时未回复即提升严重性。"),
        ("knowledge", "负责的工程师不熟悉该服务，转交太晚。", "技能表补充该服务，分配时只选熟悉的人。"),
    ],
    False: [
        (
            "late_start",
            "The ticket stood on top of the queue at the change of shift and nobody took it.",
            "The handover list now begins with what is due next, and both sides sign it.",
        ),
        (
            "workload",
            "Three urgent tickets came within an hour.",
            "From the third urgent ticket on, the second on call joins by themselves.",
        ),
        (
            "supplier",
            "AWS took longer than expected and the case was not escalated in time.",
            "A case without an answer for an hour is raised in severity.",
        ),
        (
            "knowledge",
            "The engineer did not know the service and handed over too late.",
            "The service is in the table of skills now, and only who knows it is chosen.",
        ),
    ],
}
EXCUSE = {
    True: "客户在到期后才提供所需的账户权限。",
    False: "The customer gave the access we had asked for only after the due time.",
}


def own_up(ticket: Ticket, *, by: User, at: datetime) -> tuple[list[int], str]:
    """Writes down the cause of what was broken on a ticket; returns the breaches and the words of the apology."""
    found = list(Breach.objects.filter(subject=ticket.ref, kind__in=register.PROMISES, apologies=None).order_by("pk"))
    if not found:
        return [], ""
    for breach in found:
        _explain(breach, ticket, by, at)
    ticket = Ticket.objects.select_related("requester", "customer").get(pk=ticket.pk)
    breach = Breach.objects.select_related("clock").get(pk=found[0].pk)
    return [one.pk for one in found], apology.text_for(breach, ticket, by=by)


def go_through(lead: User, at: datetime) -> None:
    """What the lead does about the breaches of before: all but the last ones, and one, get their cause; one is
    excused."""
    rows = Breach.objects.filter(kind__in=register.PROMISES, detected_at__lt=at - timedelta(days=2))
    owed = list(rows.filter(~register.CAUSED).order_by("detected_at", "pk"))
    for breach in owed[:-1]:
        _explain(breach, _ticket(breach), lead, breach.detected_at + timedelta(days=2, hours=3))
    excused = next((b for b in rows.order_by("-detected_at") if _asks(b, lead)), None)
    if excused and (engineer := _asks(excused, lead)):
        asked_at = excused.detected_at + timedelta(days=1)
        note = EXCUSE[_ticket(excused).requester.language.startswith("zh")]
        asked = breaches.propose(breach=excused, reason="customer_delay", note=note, arn="", by=engineer, at=asked_at)
        breaches.approve(breach=excused, proposal=asked.pk, by=lead, at=asked_at + timedelta(hours=2))


def _asks(breach: Breach, lead: User) -> User | None:
    """The engineer who has the ticket of a breach, where that is not the lead."""
    found: User | None = _ticket(breach).assigned_to
    return found if found and found.pk != lead.pk and breach.clock.engineer != lead.key else None


def _ticket(breach: Breach) -> Ticket:
    found: Ticket = Ticket.objects.select_related("requester", "assigned_to").get(pk=breach.subject.removeprefix("HD-"))
    return found


def _explain(breach: Breach, ticket: Ticket, by: User, at: datetime) -> None:
    choices = CAUSES[ticket.requester.language.startswith("zh")]
    cause, words, changes = choices[breach.pk % len(choices)]
    breaches.explain(breach=breach, cause=cause, words=words, corrective_action=changes, by=by, at=at)
