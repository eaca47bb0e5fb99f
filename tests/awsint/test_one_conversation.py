"""One ticket, one conversation with AWS: an outage from the customer's first word to their last, in both partitions."""

from datetime import datetime, timedelta

import pytest

from awsint import case_actions, cases
from awsint.case_actions import Wanted
from awsint.models import Account, CaseLink, Communication, SupportCase, Via
from awsint.sim import support
from awsint.sim.world import Case
from helpdesk.outbox.models import Letter
from tests.awsint.conftest import ACME, connected, hub_of
from tests.awsint.simulator import Sim
from tests.awsint.test_exactly_once import AT, beat, writing
from tests.cast import Cast
from tickets import actions
from tickets.models import Message, Ticket

__all__ = ["writing"]
CN = "311122223333"


@pytest.fixture(params=["aws", "aws-cn"])
def account(request: pytest.FixtureRequest, writing: Account, cast: Cast, sim: Sim) -> Account:
    if request.param == "aws":
        return writing
    hub_of("aws-cn")
    there = connected(sim, cast, CN, "cn-external-id-0123456789abcdef", partition="aws-cn", may_write=True)
    sim.account(CN, plan="enterprise")
    return there


class Clock:
    """Ours, in steps; AWS's goes with it."""

    def __init__(self, sim: Sim) -> None:
        self.at, self.sim = AT, sim
        sim.world.set_clock(AT)

    def on(self, **by: float) -> datetime:
        self.at += timedelta(**by)
        self.sim.world.set_clock(self.at)
        return self.at


def told(ticket: Ticket, kind: str) -> list[Letter]:
    return list(Letter.objects.filter(subject=ticket.ref, kind=kind).order_by("pk"))


def same_on_both_sides(case: SupportCase, there: Case) -> bool:
    ours = sorted(Communication.objects.filter(case=case).values_list("created_text", "body"))
    return ours == sorted((support.text_of(word.at), word.body) for word in there.words)


def test_an_outage_from_the_first_word_to_the_last(account: Account, cast: Cast, sim: Sim) -> None:
    clock = Clock(sim)
    ticket = actions.open_ticket(
        customer=cast.acme,
        title="订单页面 503",
        description="十点起所有请求返回 503。",
        category="technical",
        impact="production_down",
        urgency="urgent",
        by=cast.cora,
        at=clock.at,
    )
    assert ticket.priority_id == "critical"
    # An engineer opens the case; AWS has it, and nobody has to look for a second ticket.
    written = Wanted("elastic-load-balancing-application", "unhealthy-targets", "urgent", "zh")
    case_actions.open_case(
        ticket=ticket,
        account=account,
        subject="ALB 503",
        body="全部目标不健康。",
        wanted=written,
        by=cast.ana,
        at=clock.on(minutes=2),
    )
    beat(clock.on(seconds=1))
    case = SupportCase.objects.get()
    there = sim.world.cases[account.number][case.case_id]
    assert (CaseLink.objects.get().ticket, Ticket.objects.count()) == (ticket, 1)
    ticket.refresh_from_db()
    assert ticket.who_acts == "aws"
    # AWS asks. The customer hears of it without anybody's doing, in their language.
    clock.on(minutes=10)
    sim.answer(there, "请问十点前是否有配置变更?")
    sim.status(there, "pending-customer-action")
    cases.sync_account(account, Via.POLL, clock.on(minutes=5))
    ticket.refresh_from_db()
    assert ticket.who_acts == "us"
    letters = [one for one in told(ticket, "ticket.aws_said") if one.to_key == cast.cora.key]
    assert len(letters) == 1
    assert letters[0].language == "zh-hans"
    # The customer answers on the ticket, and an engineer passes the words on as they stand.
    actions.reply(ticket=ticket, body="没有变更。", by=cast.cora, at=clock.on(minutes=3))
    theirs = Message.objects.filter(ticket=ticket, kind="reply").latest("pk")
    case_actions.answer(ticket=ticket, case=case, message=theirs, by=cast.ana, at=clock.on(minutes=1))
    beat(clock.on(seconds=1))
    assert there.words[-1].body.startswith("没有变更。")
    ticket.refresh_from_db()
    assert (there.status, ticket.who_acts) == ("customer-action-completed", "aws")
    # Whoever answered has read the question.
    assert not Communication.objects.filter(case=case, by_aws=True, seen_at=None).exists()
    # AWS resolves. That is a banner and our turn, and no step of the ticket.
    clock.on(minutes=20)
    sim.answer(there, "安全组已恢复,请确认。")
    sim.status(there, "resolved")
    cases.sync_account(account, Via.POLL, clock.on(minutes=5))
    ticket.refresh_from_db()
    assert (ticket.who_acts, ticket.is_open) == ("us", True)
    # We confirm, and the customer closes.
    actions.resolve(
        ticket=ticket, version=ticket.version, body="AWS 已恢复安全组。", by=cast.ana, at=clock.on(minutes=2)
    )
    ticket.refresh_from_db()
    actions.close(ticket=ticket, version=ticket.version, by=cast.cora, at=clock.on(minutes=9))
    case.refresh_from_db()
    assert same_on_both_sides(case, there)
    # What we sent stands once in the timeline, as what AWS said does.
    said = list(Message.objects.filter(ticket=ticket, kind="aws").order_by("pk").values_list("by_desk", "body"))
    assert said == [(True, "全部目标不健康。"), (False, "请问十点前是否有配置变更?"), (False, "安全组已恢复,请确认。")]
    assert not any(body for number, _what, body in sim.world.bodies if number != account.number)


def test_aws_goes_on_after_we_closed(writing: Account, cast: Cast, sim: Sim) -> None:
    clock = Clock(sim)
    there = sim.open(ACME, "RDS failover", "The writer moved by itself.", severityCode="high")
    cases.sync_account(writing, Via.POLL, clock.on(minutes=5))
    ticket = Ticket.objects.get()
    sim.status(there, "resolved")
    cases.sync_account(writing, Via.POLL, clock.on(minutes=10))
    ticket.refresh_from_db()
    actions.resolve(ticket=ticket, version=ticket.version, body="Done.", by=cast.ana, at=clock.on(minutes=1))
    ticket.refresh_from_db()
    actions.close(ticket=ticket, version=ticket.version, by=cast.carla, at=clock.on(minutes=1))
    # Closed is final: a case that AWS opens again opens a ticket that follows.
    sim.answer(there, "We see it once more.")
    sim.status(there, "reopened")
    cases.sync_account(writing, Via.POLL, clock.on(minutes=10))
    follow_up = Ticket.objects.exclude(pk=ticket.pk).get()
    assert (follow_up.follows, follow_up.is_open) == (ticket, True)
    assert set(CaseLink.objects.values_list("ticket", flat=True)) == {ticket.pk, follow_up.pk}
    assert Message.objects.filter(ticket=follow_up, kind="aws", body="We see it once more.").count() == 1
    case_actions.answer(
        ticket=follow_up, case=SupportCase.objects.get(), body="Still here.", by=cast.ana, at=clock.on(minutes=1)
    )
    beat(clock.on(seconds=1))
    assert there.words[-1].body.startswith("Still here.")
