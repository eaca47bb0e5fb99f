"""A ticket nobody filed, for previews of what letters say: made in memory, once in each language.

It goes through `letters.say` and the very templates that real letters go through; no row of anybody is read.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from helpdesk import richtext
from helpdesk.accounts.models import Customer, User
from helpdesk.outbox.content import Content
from helpdesk.outbox.models import Letter
from helpdesk.outbox.threads import root_id
from sla.models import Kind, Priority
from tickets.letters import WITH_OPENING, About, say
from tickets.models import Attachment, CloseReason, Message, Ticket

AT = datetime(2026, 3, 4, 3, 20, tzinfo=UTC)
ZONE = "Asia/Shanghai"
NUMBER = 1042
CASE = "177342918800412"
SINCE = timedelta(minutes=25)
CUSTOMER, ENGINEER, LEAD, COLLEAGUE = 1, 2, 3, 4

TEXTS: dict[str, dict[str, str]] = {
    "zh-hans": {
        "company": "蓝海电商",
        "customer": "周晓雯",
        "engineer": "李敏",
        "lead": "王强",
        "colleague": "陈佳",
        "title": "RDS 只读副本延迟持续上升，订单页面读到旧数据",
        "opening": "早上 8 点 40 分开始，`orders-prod` 的两个只读副本延迟从 2 秒涨到 900 秒。\n\n"
        "- 主库 CPU 正常，约 40 %\n- 昨晚没有发布\n\n订单页面读到旧数据，客服已经接到十几个电话。",
        "answer": "我们看到主库上有一条没有索引的**全表更新**，副本在回放它，所以延迟不断增长：\n\n"
        "```\nUPDATE orders SET region = 'cn-north-1' WHERE region IS NULL;\n```\n\n"
        "请确认：这条语句可以停掉吗？停掉后延迟大约 10 分钟内会恢复。",
        "reply": "可以停，是数据同事跑的。停掉以后我们改成分批执行。",
        "solution": "语句已停止，两个副本的延迟已回到 1 秒以内。建议之后每批更新 5,000 行，每批间隔 2 秒。",
        "note": "@李敏 副本回放是单线程的，别让他们重启实例，回放会从头再来。",
        "aws": "您好，\n\n我们查看了两个只读副本：它们正在回放一条很大的事务，表没有主键，每行都要全表扫描。\n\n"
        "请提供任一副本的引擎状态输出。",
        "file": "副本延迟.png",
        "priority": "高",
        "proposed": "dba@lanhai.example",
    },
    "en": {
        "company": "Harbour Books",
        "customer": "Maya Turner",
        "engineer": "Daniel Reed",
        "lead": "Ines Weber",
        "colleague": "Tom Ellis",
        "title": "Replica lag of our orders database keeps rising",
        "opening": "Since 08:40 the lag of both replicas of `orders-prod` rose from 2 s to 900 s.\n\n"
        "- CPU of the primary is normal, about 40 %\n- nothing was released last night\n\n"
        "The order page shows old data, and a dozen customers have called.",
        "answer": "On the primary there is a **full table update** without an index; the replicas replay it, so the "
        "lag grows:\n\n```\nUPDATE orders SET region = 'eu-west-1' WHERE region IS NULL;\n```\n\n"
        "May we stop it? The lag would be gone about 10 minutes later.",
        "reply": "Yes, stop it. A colleague ran it, and we shall do it in batches.",
        "solution": "The statement was stopped, and the lag of both replicas is under a second. We suggest batches of "
        "5,000 rows, two seconds apart.",
        "note": "@Daniel Reed replay has a single thread: do not let them restart the instance, it would begin anew.",
        "aws": "Hello,\n\nBoth replicas apply one large transaction on a table without a primary key, so each row is a "
        "full scan.\n\nPlease send the engine status of one replica.",
        "file": "replica-lag.png",
        "priority": "High",
        "proposed": "dba@harbour.example",
    },
}
# Whose letters these are, where both sides could get one: the rest are the customer's.
OF_THE_DESK = {
    *("ticket.assigned", "ticket.assignment_failed", "ticket.customer_replied", "ticket.noted", "ticket.mentioned"),
    *("ticket.rated", "ticket.warning", "ticket.breached", "ticket.cause_owed"),
    *("ticket.resources_done", "ticket.resources_again"),
}
SAYS = {
    "ticket.answered": "answer",
    "ticket.asked": "answer",
    "ticket.customer_replied": "reply",
    "ticket.colleague_replied": "reply",
    "ticket.resolved": "solution",
    "ticket.noted": "note",
    "ticket.mentioned": "note",
    "ticket.aws_said": "aws",
    "ticket.case_refused": "aws",
    "ticket.aws_event_news": "aws",
}
BY = {
    **dict.fromkeys(("ticket.customer_replied", "ticket.closed", "ticket.reopened", "ticket.rated"), CUSTOMER),
    **dict.fromkeys(("ticket.noted", "ticket.mentioned", "ticket.prioritised"), LEAD),
    **dict.fromkeys(("ticket.colleague_replied", "ticket.participant_proposed"), COLLEAGUE),
    **dict.fromkeys(("ticket.shared", "ticket.resources_done", "ticket.resources_again"), CUSTOMER),
}
STATUS = {
    "ticket.received": "new",
    "ticket.assigned": "new",
    "ticket.assignment_failed": "new",
    "ticket.asked": "waiting_customer",
    "ticket.reminder": "waiting_customer",
    **dict.fromkeys(("ticket.resolved", "ticket.auto_resolved", "ticket.closing_soon"), "resolved"),
    **dict.fromkeys(("ticket.closed", "ticket.auto_closed", "ticket.withdrawn", "ticket.merged"), "closed"),
}
DATA: dict[str, dict[str, Any]] = {
    "ticket.prioritised": {"old": "medium", "new": "high"},
    "ticket.merged": {"into": "HD-1038"},
    "ticket.unmerged": {"out_of": "HD-1038"},
    "ticket.aws_said": {"case": CASE, "case_new": "pending-customer-action"},
    "ticket.aws_status": {"case": CASE, "case_new": "resolved"},
    "ticket.aws_event_news": {"old": "medium", "new": "high"},
    "ticket.rated": {"score": "good"},
    "ticket.participant_proposed": {"participant": 1},
    "ticket.warning": {"kind": "resolution", "percent": 75, "due": (AT + SINCE).isoformat()},
    "ticket.cause_owed": {"kind": "resolution", "due": (AT + timedelta(days=2)).isoformat(), "breach": 1},
    "ticket.breached": {
        "kind": "response",
        "due": (AT - SINCE).isoformat(),
        "breached": (AT - SINCE + timedelta(seconds=1)).isoformat(),
    },
}


def sample(kind: str, language: str) -> tuple[Letter, Content]:
    """A letter of this kind that nobody gets, and what it says, in the language in use."""
    texts, people = TEXTS[language], _people(language)
    desk = kind in OF_THE_DESK
    reader = people[ENGINEER if desk else CUSTOMER]
    data = {"ref": f"HD-{NUMBER}", "by": f"user:{BY.get(kind, ENGINEER)}", **DATA.get(kind, {})}
    if kind in SAYS:
        data["message"] = 3
    letter = Letter(
        pk=7, kind=kind, to_key=reader.key, to_address=reader.email, language=language, zone=ZONE,
        subject=data["ref"], data=data, created_at=AT,
    )  # fmt: skip
    if not desk and kind in ("ticket.answered", "ticket.asked", "ticket.resolved"):
        letter.cc = [{"key": people[COLLEAGUE].key, "address": people[COLLEAGUE].email}]
    return letter, say(letter, _about(kind, texts, people, reader, desk))


def _about(kind: str, texts: dict[str, str], people: dict[int, User], reader: User, desk: bool) -> About:
    ticket = _ticket(kind, texts, people)
    opening = _message(1, ticket, people[CUSTOMER], texts["opening"], 25)
    about = About(
        ticket=ticket,
        readers={person.key: person.name for person in (reader, people[COLLEAGUE])},
        desk=desk,
        people={p.key: p.name for p in people.values()} | {"participant": texts["proposed"]},
        priorities={"high": texts["priority"], "medium": {"高": "中"}.get(texts["priority"], "Medium")},
        due={Kind.RESPONSE: AT + SINCE, Kind.RESOLUTION: AT + timedelta(hours=4)},
        until=AT + timedelta(days=7),
        references=[root_id(ticket.ref)],
    )
    if kind in WITH_OPENING:
        return replace(about, message=opening, files=[_file(texts)])
    if kind not in SAYS:
        return about
    author = people[BY.get(kind, ENGINEER)]
    word = _message(3, ticket, author, texts[SAYS[kind]], 1, note=SAYS[kind] == "note")
    if SAYS[kind] == "aws":
        word = _said_at_aws(word)
    files = [_file(texts)] if kind in ("ticket.answered", "ticket.customer_replied") else []
    return replace(about, message=word, files=files, earlier=[opening])


@cache
def _people(language: str) -> dict[int, User]:
    texts = TEXTS[language]
    roles = {CUSTOMER: "", ENGINEER: "engineer", LEAD: "lead", COLLEAGUE: ""}
    names = dict(zip(roles, ("customer", "engineer", "lead", "colleague"), strict=True))
    return {
        number: User(
            pk=number,
            name=texts[names[number]],
            email=f"{names[number]}@{'desk' if roles[number] else 'customer'}.example",
            language=language,
            zone=ZONE,
            staff_role=roles[number] or None,
        )
        for number in roles
    }


def _ticket(kind: str, texts: dict[str, str], people: dict[int, User]) -> Ticket:
    return Ticket(
        pk=NUMBER,
        customer=Customer(name=texts["company"]),
        requester=people[CUSTOMER],
        assigned_to=None if kind in ("ticket.received", "ticket.assignment_failed") else people[ENGINEER],
        title=texts["title"],
        priority=Priority(code="high", rank=2, label_zh="高", label_en="High"),
        close_reason=CloseReason.DUPLICATE if kind == "ticket.withdrawn" else "",
        status=STATUS.get(kind, "in_progress"),
    )


def _message(number: int, ticket: Ticket, author: User, body: str, ago: int, *, note: bool = False) -> Message:
    kind = Message.Kind.NOTE if note else Message.Kind.OPENING if number == 1 else Message.Kind.REPLY
    return Message(
        pk=number,
        ticket=ticket,
        kind=kind,
        author=author,
        by_desk=author.is_desk,
        body=body,
        html=richtext.render(body),
        at=AT - timedelta(minutes=ago),
    )


def _said_at_aws(word: Message) -> Message:
    word.kind, word.author, word.said_at = Message.Kind.AWS, User(name="AWS", is_service=True), word.at
    word.html = richtext.as_typed(word.body)
    return word


def _file(texts: dict[str, str]) -> Attachment:
    return Attachment(pk=UUID(int=7), name=texts["file"], size=219_000)
