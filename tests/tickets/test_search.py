"""The search, through its doors: what is found, in which order, how it is shown; and what becomes of anything typed."""

import html
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.accounts.models import Customer, User
from tests.entering import enter
from tickets import actions, cutting, excerpts, reindex, search
from tickets.models import Message, SearchRow, Ticket

pytestmark = pytest.mark.django_db


def now() -> datetime:
    return timezone.now().replace(microsecond=0)


def opened(cast: Any, title: str, text: str = "如题", **more: Any) -> Ticket:
    given = {"customer": cast.acme, "category": "technical", "impact": "production_part", "urgency": "urgent"}
    given |= {"by": cast.cora, "at": now() - timedelta(minutes=5)}
    return actions.open_ticket(title=title, description=text, **(given | more))


def page(person: User, q: str, **more: Any) -> str:
    answer = enter(person).get("/tickets/", {"view": "all", "q": q, **more})
    assert answer.status_code == 200, answer.headers
    return html.unescape(answer.content.decode())


def listed(page: str) -> list[str]:
    return re.findall(r'<span class="mono">(HD-\d+)</span>', page)


def found(person: User, q: str, **more: Any) -> list[str]:
    return listed(page(person, q, **more))


def lines_shown(page: str) -> list[str]:
    return re.findall(r"<bdi>(.*?)</bdi>", page)


# --- What is found ---------------------------------------------------------------------------------------------------

TEXT = (
    "今天早上订单查询和拣货都很慢，数据库连接超时。实例 i-0abc12def345 在 us-east-1，主机 db-1.prod.example.com "
    "(10.0.12.5)。\n\narn:aws:rds:ap-southeast-1:123456789012:db:orders-prod 报 ORA-00942 和 ThrottlingException，"
    "见 INC-20391。"
)


@pytest.mark.parametrize(
    "q",
    [
        *(
            "订单",
            "查询",
            "拣货",
            "和拣",
            "早上",
            "数据库",
            "据库",
            "单查",
            "连接超时",
            "数据库超时",
            "订单 超时",
            "慢",
        ),
        *("i-0abc12def345", "I-0ABC12", "us-east-1", "east", "db-1.prod.example.com", "example.com", "prod.example"),
        *("10.0.12.5", "0.12.5", "arn:aws:rds:ap-southeast-1:123456789012:db:orders-prod", "123456789012"),
        *("orders-prod", "orders", "ora-00942", "ORA 00942", "throttling", "ThrottlingException", "inc-20391", "20391"),
        *("ＯＲＡ－００９４２", "ｉ－０ａｂｃ１２ｄｅｆ３４５", '"订单查询和拣货"', "“数据库连接超时”"),
        *("订单 -不存在", "Cora", "acme 订单", "订单 cora"),
    ],
)
def test_words_are_found_whole_and_in_parts(cast: Any, q: str) -> None:
    ticket = opened(cast, "仓库系统变慢", TEXT)
    assert found(cast.ana, q) == [ticket.ref]


@pytest.mark.parametrize("text", ["limit=10&offset=-1", "/var/log-/x", "a_/b", "x@-y.example", "p=_-+/q"])
def test_two_signs_in_a_row_are_taken_and_found(cast: Any, text: str) -> None:
    ticket = opened(cast, "Signs", f"before {text} after")
    assert found(cast.ana, text) == [ticket.ref]


@pytest.mark.parametrize(
    "q",
    [
        *("库超", "订单 不存在", "订单 -拣货", '-"连接超时" 订单', '"连接 超时"', '"查询订单"', "globex 订单"),
        *("10.12.5", "0.12.0", "i-0abd", "example.org", "rder", "aws:s3", "'; DROP TABLE", "订单 & | !x"),
    ],
)
def test_what_is_not_there_is_not_found(cast: Any, q: str) -> None:
    opened(cast, "仓库系统变慢", TEXT)
    assert found(cast.ana, q) == []


def test_every_message_is_found_with_the_title_and_the_company(cast: Any) -> None:
    ticket = opened(cast, "EKS 节点异常")
    opened(cast, "EKS 节点异常", customer=cast.globex, by=cast.gus)
    actions.reply(ticket=ticket, body="请看 kubelet 的日志", by=cast.ana, at=now())
    actions.note(ticket=ticket, body="怀疑是镜像仓库", by=cast.ana, at=now())
    for q in ("kubelet", "日志 EKS", "节点 kubelet", "acme 镜像仓库", "镜像仓库 节点"):
        assert found(cast.ana, q) == [ticket.ref], q
    assert found(cast.carla, "kubelet") == [ticket.ref]
    assert found(cast.carla, "镜像仓库") == found(cast.gus, "kubelet") == []


def test_the_very_text_stands_first_and_titles_before_messages(cast: Any) -> None:
    scattered = opened(cast, "一般问题", "超时了。后来连接恢复，" + "中间隔了很多话。" * 20 + "数据库没有动")
    inside = opened(cast, "一般问题", "看起来是数据库连接超时")
    titled = opened(cast, "数据库连接超时")
    newer = opened(cast, "一般问题", "连接正常，数据库正常，没有超时")
    refs = found(cast.ana, "数据库连接超时")
    assert refs[:2] == [titled.ref, inside.ref]
    assert set(refs[2:]) == {scattered.ref, newer.ref}


def test_one_character_alone_finds_what_has_it(cast: Any) -> None:
    middle, last = opened(cast, "打印机"), opened(cast, "重启主机")
    opened(cast, "其他")
    assert set(found(cast.ana, "机")) == {middle.ref, last.ref}


# --- Where it leads --------------------------------------------------------------------------------------------------


def test_a_number_leads_to_its_ticket(cast: Any) -> None:
    ticket = opened(cast, "One")
    for q in (ticket.ref, ticket.ref.lower(), ticket.ref.replace("-", "")):
        answer = enter(cast.ana).get("/tickets/", {"q": q})
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/tickets/{ticket.ref}/")
    other = opened(cast, "Two", f"Much like {ticket.ref}, error {ticket.pk}")
    assert found(cast.ana, str(ticket.pk)) == [ticket.ref, other.ref]
    # While somebody types nothing goes anywhere.
    typing = {"HX-Request": "true", "HX-Target": "main"}
    answer = enter(cast.ana).get("/tickets/", {"view": "all", "q": ticket.ref}, headers=typing)
    assert answer.status_code == 200
    assert listed(answer.content.decode()) == [ticket.ref, other.ref]
    assert listed(enter(cast.gus).get("/tickets/", {"q": ticket.ref}).content.decode()) == []


def test_a_companys_whole_name_is_its_queue_and_a_part_offers_it(cast: Any) -> None:
    Customer.objects.filter(pk=cast.acme.pk).update(name="远帆物流")
    ticket = opened(cast, "慢")
    for q in ("远帆物流", "acme"):
        answer = enter(cast.ana).get("/tickets/", {"q": q, "status": "new"})
        assert answer.headers["Location"] == f"?status=new&customer={cast.acme.pk}"
    part = page(cast.ana, "远帆")
    assert listed(part) == [ticket.ref]
    assert f'href="?view=all&customer={cast.acme.pk}">远帆物流' in part
    assert "Companies of this name" not in page(cast.gus, "远帆")


def test_filters_narrow_what_is_found(cast: Any) -> None:
    old = opened(cast, "超时", at=now() - timedelta(days=20))
    done = opened(cast, "超时")
    actions.resolve(ticket=done, version=1, body="好了", by=cast.ana, at=now())
    other = opened(cast, "超时", customer=cast.globex, by=cast.gus, impact="question")
    assert set(found(cast.ana, "超时")) == {old.ref, done.ref, other.ref}
    assert set(found(cast.ana, "超时", view="open")) == {old.ref, other.ref}
    assert set(found(cast.ana, "超时", since="7")) == {done.ref, other.ref}
    assert found(cast.ana, "超时", customer=cast.globex.pk) == found(cast.ana, "超时", priority="low") == [other.ref]
    assert found(cast.ana, "超时", status="resolved") == [done.ref]
    assert set(found(cast.ana, "超时", assignee="me")) == {old.ref, done.ref, other.ref}
    assert found(cast.ana, "超时", assignee="none") == []
    shown = page(cast.ana, "超时", since="7", filter="1")
    assert "<span>Filed</span> Past week" in shown
    assert '<option value="7" selected>' in shown
    assert set(found(cast.carla, "超时")) == {old.ref, done.ref}
    assert found(cast.carla, "超时", view="open") == [old.ref]
    assert found(cast.carla, "超时", since="7") == [done.ref]


def test_pages_hold_everything_once(cast: Any) -> None:
    refs = {opened(cast, f"超时 {n}").ref for n in range(60)}
    seen = [found(cast.ana, "超时", page=n) for n in (1, 2, 3, 4)]
    assert [len(s) for s in seen] == [25, 25, 10, 0]
    assert {r for s in seen for r in s} == refs
    assert 'rel="next" href="?view=all&q=%E8%B6%85%E6%97%B6&page=2"' in page(cast.ana, "超时")
    assert found(cast.ana, "超时", page="x") == found(cast.ana, "超时", page="-1") == seen[0]


def test_more_than_can_be_ranked_says_so(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "CANDIDATES", 5)
    newest = [opened(cast, f"超时 {n}").ref for n in range(8)][3:]
    shown = page(cast.ana, "超时")
    assert "1000+ places match" in shown
    assert set(listed(shown)) == set(newest)


def test_nothing_found_says_what_to_try(cast: Any) -> None:
    opened(cast, "超时")
    both = page(cast.ana, "超时 zebra", view="open")
    assert "Nothing found for “超时 zebra”" in both
    assert 'href="?q=%E8%B6%85%E6%97%B6">超时</a>' in both
    assert "Search all tickets" in both
    assert "There is no word to look for in “%”" in page(cast.ana, "%")
    assert "There is no word to look for in “-超时”" in page(cast.carla, "-超时")


def test_a_search_asks_the_same_of_one_ticket_and_of_sixty(cast: Any) -> None:
    def asked(person: User) -> int:
        client = enter(person)
        client.get("/tickets/?view=all&q=超时")
        with CaptureQueriesContext(connection) as statements:
            client.get("/tickets/?view=all&q=超时")
        return len(statements)

    opened(cast, "超时")
    few = [asked(cast.ana), asked(cast.carla)]
    for n in range(40):
        ticket = opened(cast, f"超时 {n}", by=cast.cody if n % 2 else cast.cora)
        actions.reply(ticket=ticket, body="超时了", by=cast.ana, at=now())
    assert [asked(cast.ana), asked(cast.carla)] == few
    assert few[0] <= 7
    assert few[1] <= 8


# --- How it is shown -------------------------------------------------------------------------------------------------


def test_what_was_asked_for_is_marked_where_it_stands(cast: Any) -> None:
    text = "很长的开头。" * 30 + "然后 **ＲＤＳ** 的连接数据库超时，`max_connections` 不够。" + "结尾。" * 100
    opened(cast, "RDS 数据库", text)
    shown = page(cast.ana, "数据库超时 rds")
    assert "<mark>RDS</mark> <mark>数据库</mark></a>" in shown
    (line,) = lines_shown(shown)
    assert line.startswith("…")
    assert line.endswith("…")
    assert "<mark>ＲＤＳ</mark> 的连接<mark>数据库</mark><mark>超时</mark>，max_connections 不够。" in line


def test_a_note_is_shown_as_a_note(cast: Any) -> None:
    actions.note(ticket=opened(cast, "慢"), body="怀疑是镜像仓库", by=cast.ana, at=now())
    shown = page(cast.ana, "镜像仓库")
    assert 'class="excerpt excerpt-note"' in shown
    assert "Internal note, not visible to the customer" in shown


PAYLOADS = [
    *("<script>alert('x1')</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "</mark><b>x1</b>"),
    *("javascript:alert(1)//x1", "{{7*7}} x1", "{% load x1 %}", "<b>x1</b>", "&lt;x1&gt; &amp;", "x1</title><a>"),
]


# What the payloads would make if they could.
MADE = re.compile(r"<script|<img|<svg onload|<b>x1|<a>|49 x1")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_becomes_markup(cast: Any, payload: str) -> None:
    opened(cast, f"数据 {payload}", f"超时 {payload}")
    for person in (cast.ana, cast.carla):
        for q in ("数据", "超时", "x1", payload, "alert svg", "mark"):
            answer = enter(person).get("/tickets/", {"view": "all", "q": q}).content.decode()
            assert not MADE.search(answer[answer.index("<main") :]), q
    part = enter(cast.carla).post("/tickets/similar", {"title": f"数据 {payload}"}).content.decode()
    assert html.escape(payload) in part
    assert not MADE.search(part)


HOSTILE = [
    *("\x00", "'", "''", "\\", "\\'", ":*", "a:*", "!!!", "()", "((", "&&", "<->", "a <-> b", "'a':1A", "=o", "'=o'"),
    *(
        '"',
        '"""',
        '"a',
        '-"a',
        "-",
        "--a",
        "- a",
        "👨‍👩‍👧‍👦",
        "🇩🇪" * 90,
        "a" * 5000,
        "长" * 300,
        "a " * 200,
        "a-" * 100,
    ),
    *("%", "_", "\u202eabc", "ﬀ", "İ", "ß", "١٢٣", "\u3000", "a\nb", "1" * 100, "HD-" + "9" * 30, "-" * 200),
    "e" + "\u0301" * 150,
]


@pytest.mark.parametrize("q", HOSTILE)
def test_anything_typed_gets_an_answer(cast: Any, q: str) -> None:
    opened(cast, "数据库 = o c", "'=o' \\ a b")
    for person in (cast.ana, cast.carla):
        answer = enter(person).get("/tickets/", {"view": "all", "q": q})
        assert answer.status_code == 200
        answer.content.decode()
    assert enter(cast.carla).post("/tickets/similar", {"title": q, "description": q, "customer": q}).status_code == 200


@pytest.mark.django_db(transaction=False)
@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.text(max_size=300))
def test_any_text_can_be_stored_and_asked_for(text: str) -> None:
    vector = cutting.literal(text, text * 3, ["=c1"])
    asked = search.question(text)
    queries = [w.query for w in (*asked.words, *asked.without)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::tsvector", [vector])
        for query in queries:
            cursor.execute("SELECT %s::tsquery", [query])


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text("数据库连接超时的和机", min_size=1, max_size=12), st.text("数据库连接超时 a。", max_size=10))
def test_han_text_is_found_by_any_part_of_it_and_marked(part: str, around: str) -> None:
    """Whatever cut the dictionary chooses, a text that has the very characters matches."""
    vector = cutting.literal("", f"{around}{part}{around}", [])
    words = search.question(part).words
    with connection.cursor() as cursor:
        for word in words:
            cursor.execute("SELECT %s::tsvector @@ %s::tsquery", [vector, word.query])
            assert cursor.fetchone() == (True,), (part, word)
    plain = excerpts.marked(f"{around}{part}", [t for w in words for t in w.shown])
    assert re.sub(r"</?mark>", "", plain) == f"{around}{part}"


def test_the_longest_texts_fit(cast: Any) -> None:
    import random

    chance = random.Random(1)
    han = "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(50_000))
    ids = " ".join(f"i-{chance.randrange(16**12):012x}" for _ in range(3_000))
    ticket = opened(cast, "x" * 500, han)
    actions.reply(ticket=ticket, body=ids, by=cast.ana, at=now())
    actions.reply(ticket=ticket, body="a" * 50_000, by=cast.ana, at=now())
    assert found(cast.ana, han[100:104]) == found(cast.ana, ids[:14]) == [ticket.ref]


# --- Kept in the writer's transaction, and written anew --------------------------------------------------------------


def test_a_message_and_its_words_stand_or_fall_together(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = opened(cast, "慢")

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no words today")

    monkeypatch.setattr(search, "literal", broken)
    with pytest.raises(RuntimeError), transaction.atomic():
        actions.reply(ticket=ticket, body="kubelet", by=cast.ana, at=now())
    assert Message.objects.count() == SearchRow.objects.count() == 1


def test_reindex_goes_on_where_it_stopped_and_writes_what_is_missing(
    cast: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tickets = [opened(cast, f"超时 {n}") for n in range(12)]
    SearchRow.objects.all()[:1].get().delete()
    monkeypatch.setattr(search, "EDITION", search.EDITION + 1)
    monkeypatch.setattr(reindex, "SLICE", 5)
    assert reindex.behind() == 11
    assert "11" in html.unescape(enter(cast.lee).get("/console/").content.decode()).split("manage.py reindex")[0][-80:]
    # One slice, and then it was stopped.
    assert next(reindex.slices()) == 5
    call_command("reindex")
    said = capsys.readouterr().out
    assert re.search(r"edition \d+, dictionary rjieba \d", said)
    assert re.search(r"100 %  7 of 7 messages", said)
    assert reindex.behind() == 0
    assert set(found(cast.ana, "超时")) == {t.ref for t in tickets}
    call_command("reindex")
    assert "Every message is of this edition" in capsys.readouterr().out


def test_the_recurring_job_brings_the_index_up_to_date(cast: Any) -> None:
    ticket = opened(cast, "超时")
    SearchRow.objects.update(edition=0, words="")
    assert found(cast.ana, "超时") == []
    reindex.for_a_while()
    assert found(cast.ana, "超时") == [ticket.ref]


def test_what_is_forgotten_is_not_found_until_it_is_indexed_again(cast: Any) -> None:
    ticket = opened(cast, "慢")
    message = actions.reply(ticket=ticket, body="kubelet", by=cast.ana, at=now())
    search.forget([message])
    assert found(cast.ana, "kubelet") == []
    search.index([message])
    assert found(cast.ana, "kubelet") == [ticket.ref]


def test_who_is_renamed_is_found_by_the_new_name(cast: Any) -> None:
    ticket = opened(cast, "慢")
    assert found(cast.ana, "Cora") == [ticket.ref]
    User.objects.filter(pk=cast.cora.pk).update(name="林晓")
    assert found(cast.ana, "林晓") == [ticket.ref]
    assert found(cast.ana, "Cora") == []


# --- While filing ----------------------------------------------------------------------------------------------------


def suggested(person: User, title: str, **more: Any) -> list[str]:
    answer = enter(person).post("/tickets/similar", {"title": title, **more})
    assert answer.status_code == 200
    return listed(html.unescape(answer.content.decode()))


def test_likely_twins_are_suggested_open_ones_first(cast: Any) -> None:
    done = opened(cast, "RDS 只读副本延迟持续上升")
    actions.resolve(ticket=done, version=1, body="好了", by=cast.ana, at=now())
    open_one = opened(cast, "只读副本延迟上升", by=cast.cody)
    opened(cast, "EKS 节点 NotReady")
    opened(cast, "RDS 只读副本延迟持续上升", customer=cast.globex, by=cast.gus)
    same = "RDS 只读副本延迟一直上升"
    assert suggested(cast.carla, same) == [open_one.ref, done.ref]
    assert suggested(cast.cora, same) == [done.ref]
    assert suggested(cast.ana, same, customer=cast.acme.pk) == [open_one.ref, done.ref]
    assert suggested(cast.ana, same) == suggested(cast.carla, same, customer=cast.globex.pk) == []
    assert suggested(cast.carla, "") == suggested(cast.carla, "请问") == []


def test_another_title_for_the_same_words_is_a_twin_too(cast: Any) -> None:
    text = "实例 i-0abc12def345 无法启动，状态检查失败，报错 InsufficientInstanceCapacity"
    ticket = opened(cast, "EC2 启动失败", text)
    assert suggested(cast.cora, "i-0abc12def345 起不来", description=text) == [ticket.ref]


def test_five_at_most_are_suggested(cast: Any) -> None:
    for _ in range(8):
        opened(cast, "证书即将过期")
    assert len(suggested(cast.cora, "证书即将过期")) == 5


def test_without_a_script_the_preview_shows_them_and_nothing_is_lost(cast: Any) -> None:
    ticket = opened(cast, "证书即将过期")
    typed = {"customer": cast.acme.pk, "title": "证书快要过期", "description": "请更换", "preview": "1"}
    answer = enter(cast.cora).post("/tickets/create", typed).content.decode()
    assert listed(answer) == [ticket.ref]
    assert 'value="证书快要过期"' in answer
    assert "请更换</textarea>" in answer


def test_suggestions_ask_the_same_of_one_ticket_and_of_many(cast: Any) -> None:
    def asked() -> int:
        client = enter(cast.carla)
        with CaptureQueriesContext(connection) as statements:
            client.post("/tickets/similar", {"title": "证书即将过期"})
        return len(statements)

    opened(cast, "证书即将过期")
    few = asked()
    for _ in range(10):
        opened(cast, "证书即将过期")
    assert asked() == few <= 6
