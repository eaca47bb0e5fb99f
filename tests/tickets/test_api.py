"""The API through its own door: HTTP with a key, JSON in and out, problems where something is wrong."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from helpdesk.accounts import actions as people_actions
from helpdesk.accounts import keys
from helpdesk.accounts.models import ApiKey, Customer, User
from helpdesk.audit.models import Entry
from helpdesk.outbox.models import Letter
from sla.models import Clock
from tickets import actions
from tickets.api_docs import example
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db
Key = Callable[..., "Desk"]
# As the checklist prints it, with the company's own id in its place.
PRINTED = {"title": "数据库连接超时", "description": "生产数据库从 09:40 起拒绝连接", "priority": "high"}


class Desk:
    """The desk as a program sees it: one key, JSON both ways."""

    def __init__(self, token: str = "", language: str = "en") -> None:
        self.client = Client()
        self.token, self.headers = token, {"Accept-Language": language}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"/api{path}", headers=self.headers | headers)

    def post(self, path: str, body: Any, content_type: str = "application/json", **headers: str) -> Any:
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(f"/api{path}", text, content_type=content_type, headers=sent)


@pytest.fixture
def key(cast: Any) -> Key:
    """A key of a company (or of `of`, who acts as themselves), made by the lead."""

    def make(customer: Customer | None = None, of: User | None = None, may_write: bool = True, **desk: Any) -> Desk:
        made, token = keys.create_key(
            name="Nightly import",
            customer=None if of else customer or cast.acme,
            may_write=may_write,
            days=30,
            by=of or cast.lee,
            at=timezone.now(),
        )
        found = Desk(token, **desk)
        found.key = made  # type: ignore[attr-defined]
        return found

    return make


def filed(cast: Any, **more: Any) -> Ticket:
    given = {
        "customer": cast.acme,
        "title": "Disk full",
        "description": "On **db-1**",
        "category": "technical",
        "impact": "production_down",
        "urgency": "urgent",
        "by": cast.cora,
        "at": timezone.now() - timedelta(minutes=5),
    }
    return actions.open_ticket(**(given | more))


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert (told["type"], told["status"]) == ("about:blank", status)
    assert told["title"]
    assert told["detail"]
    return told


def fields(answer: Any) -> list[str]:
    return [e["field"] for e in problem(answer, 422)["errors"]]


# --- Filing ----------------------------------------------------------------------------------------------------------


def test_a_ticket_is_filed_as_the_checklist_prints_it(cast: Any, key: Key) -> None:
    answer = key().post("/tickets", PRINTED | {"customer_id": str(cast.acme.pk)})
    assert answer.status_code == 201, answer.content
    told = answer.json()
    ticket = Ticket.objects.get()
    assert (told["ref"], told["status"], told["priority"], told["source"]) == (ticket.ref, "new", "high", "api")
    assert answer.headers["Location"].endswith(f"/api/tickets/{ticket.ref}")
    due = {c.kind: c.due_at.isoformat().replace("+00:00", "Z") for c in Clock.objects.filter(subject=ticket.ref)}
    assert (told["first_response_due"], told["resolution_due"]) == (due["response"], due["resolution"])
    assert (told["id"], told["sla_due_at"]) == (ticket.pk, due["response"])
    assert told["why"] == "high: first answer within 1 hour, solved within 8 hours, by SLA version 1."
    assert [m["body"] for m in told["messages"]] == [PRINTED["description"]]
    opened = Entry.objects.get(action="ticket.opened")
    assert (opened.actor_role, opened.data["source"], opened.fact) == ("customer", "api", ["created", "high", "api"])
    assert ticket.requester.is_service
    assert not Letter.objects.filter(to_key=ticket.requester.key).exists()


def test_one_company_needs_no_id_and_several_do(cast: Any, key: Key) -> None:
    assert key().post("/tickets", PRINTED).status_code == 201
    assert fields(key(of=cast.dora).post("/tickets", PRINTED)) == ["customer_id"]
    assert key(of=cast.dora).post("/tickets", PRINTED | {"customer_id": str(cast.globex.pk)}).status_code == 201


def test_unknown_and_foreign_companies_get_the_same_answer(cast: Any, key: Key) -> None:
    desk = key()
    ids = [str(cast.globex.pk), "00000000-0000-4000-8000-000000000000", "1", "x' OR 1=1"]
    told = {desk.post("/tickets", PRINTED | {"customer_id": i}).content for i in ids}
    assert len(told) == 1
    assert Ticket.objects.count() == 0


def test_somebody_of_the_company_may_be_named_and_nobody_else(cast: Any, key: Key) -> None:
    assert key().post("/tickets", PRINTED | {"requester": cast.cora.email}).status_code == 201
    assert Ticket.objects.get().requester == cast.cora
    assert fields(key().post("/tickets", PRINTED | {"requester": cast.gus.email})) == ["requester"]
    assert fields(key().post("/tickets", PRINTED | {"requester": "nobody@acme.example"})) == ["requester"]


def test_an_engineers_key_files_for_a_person_of_a_company(cast: Any, key: Key) -> None:
    desk = key(of=cast.ana)
    said = PRINTED | {"customer_id": str(cast.globex.pk)}
    assert fields(desk.post("/tickets", said)) == ["requester"]
    assert desk.post("/tickets", said | {"requester": cast.gus.email}).status_code == 201


def test_impact_and_urgency_propose_the_priority_as_on_the_page(key: Key) -> None:
    said = {k: v for k, v in PRINTED.items() if k != "priority"}
    told = key().post("/tickets", said | {"impact": "production_down", "urgency": "urgent"}).json()
    assert told["priority"] == "critical"
    assert fields(key().post("/tickets", said)) == ["priority"]
    assert fields(key().post("/tickets", PRINTED | {"priority": "p0"})) == ["priority"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 501}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"title": "\ud800"}, "title"),
        ({"title": 5}, "title"),
        ({"title": None}, "title"),
        ({"description": ["x"]}, "description"),
        ({"description": "x" * 50_001}, "description"),
        ({"category": "other"}, "category"),
        ({"requester": "not an address"}, "requester"),
        ({"status": "closed"}, "status"),
        ({"assigned_to": "1"}, "assigned_to"),
    ],
)
def test_what_is_wrong_is_named_at_its_field(key: Key, change: dict[str, Any], field: str) -> None:
    assert fields(key().post("/tickets", PRINTED | change)) == [field]
    assert Ticket.objects.count() == 0


def test_errors_are_in_the_callers_language(key: Key) -> None:
    told = problem(key(language="zh-CN").post("/tickets", PRINTED | {"title": ""}), 422)
    assert "一句话" in told["errors"][0]["message"]


@pytest.mark.parametrize(
    "body",
    [
        " ",
        "{",
        "[]",
        '"x"',
        "null",
        '{"title": "a", "title": "b"}',
        '{"title": NaN}',
        b'{"title": "\xff"}',
        "[" * 100_000,
        '{"a":' * 50_000,
    ],
)
def test_what_is_no_json_is_refused_and_never_a_trace(key: Key, body: str | bytes) -> None:
    problem(key().post("/tickets", body), 400)


def test_only_json_and_no_more_than_a_megabyte(key: Key) -> None:
    problem(key().post("/tickets", "title=x", content_type="application/x-www-form-urlencoded"), 415)
    problem(key().post("/tickets", json.dumps(PRINTED | {"description": "x" * 1_000_001})), 413)


# --- Once ------------------------------------------------------------------------------------------------------------


def test_the_same_key_counts_once_and_is_answered_alike(key: Key) -> None:
    desk = key()
    first = desk.post("/tickets", PRINTED, Idempotency_Key="import-7")
    again = desk.post("/tickets", PRINTED, Idempotency_Key="import-7")
    assert (first.status_code, again.status_code, Ticket.objects.count()) == (201, 201, 1)
    assert (first.content, first.headers["Location"]) == (again.content, again.headers["Location"])
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    problem(desk.post("/tickets", PRINTED | {"title": "Other"}, Idempotency_Key="import-7"), 422)
    assert desk.post("/tickets", PRINTED, Idempotency_Key="import-8").status_code == 201


def test_a_refused_request_leaves_its_key_free(key: Key) -> None:
    desk = key()
    problem(desk.post("/tickets", PRINTED | {"priority": "p0"}, Idempotency_Key="one"), 422)
    assert desk.post("/tickets", PRINTED, Idempotency_Key="one").status_code == 201


def test_two_owners_do_not_share_their_keys(cast: Any, key: Key) -> None:
    assert key().post("/tickets", PRINTED, Idempotency_Key="one").status_code == 201
    assert key(cast.globex).post("/tickets", PRINTED, Idempotency_Key="one").status_code == 201
    assert Ticket.objects.count() == 2


# --- Reading ---------------------------------------------------------------------------------------------------------


def test_the_list_walks_newest_first_and_neither_skips_nor_repeats(cast: Any, key: Key) -> None:
    made = [filed(cast, title=f"No {n}").ref for n in range(7)]
    desk, seen, path = key(), [], "/tickets?limit=3"
    while path:
        answer = desk.get(path)
        told = answer.json()
        seen += [t["ref"] for t in told["tickets"]]
        path = told["next"].split("/api", 1)[1] if told["next"] else ""
        assert bool(path) == ("next" in answer.headers.get("Link", ""))
        if len(seen) == 3:
            filed(cast, title="Filed meanwhile")
    assert seen == made[::-1]


def test_the_list_is_filtered(cast: Any, key: Key) -> None:
    one, other = filed(cast), filed(cast, impact="question", urgency="wait")
    actions.reply(ticket=one, body="We look", by=cast.ana, at=timezone.now())
    desk = key()

    def refs(query: str) -> list[str]:
        return [t["ref"] for t in desk.get(f"/tickets?{query}").json()["tickets"]]

    assert refs("status=in_progress") == [one.ref]
    assert refs("status=new&status=in_progress") == [other.ref, one.ref]
    assert refs("priority=low") == [other.ref]
    for query in ("limit=0", "limit=101", "limit=9999999999999999999999", "after=-1", "after=%00", "status=lost"):
        problem(desk.get(f"/tickets?{query}"), 422)


def test_one_ticket_with_its_public_messages(cast: Any, key: Key) -> None:
    ticket = filed(cast)
    actions.reply(ticket=ticket, body="We look", by=cast.ana, at=timezone.now())
    actions.note(ticket=ticket, body="canary-note", by=cast.ana, at=timezone.now())
    answer = key().get(f"/tickets/{ticket.ref}")
    told = answer.json()
    assert [(m["author"], m["by_desk"], m["body"]) for m in told["messages"]] == [
        (cast.cora.name, False, "On **db-1**"),
        (cast.ana.name, True, "We look"),
    ]
    assert answer.headers["ETag"] == f'"{told["version"]}"'
    assert "canary-note" not in answer.content.decode()
    mine = key(of=cast.ana).get(f"/tickets/{ticket.ref}").json()
    assert [m["kind"] for m in mine["messages"]] == ["opening", "reply", "note"]


def test_many_messages_come_a_hundred_at_a_time(cast: Any, key: Key) -> None:
    ticket = filed(cast)
    for n in range(105):
        actions.reply(ticket=ticket, body=f"Word {n}", by=cast.cora, at=timezone.now())
    desk = key()
    first = desk.get(f"/tickets/{ticket.ref}").json()
    rest = desk.get(f"/tickets/{ticket.ref}?messages_after={first['messages_next']}").json()
    assert (len(first["messages"]), len(rest["messages"]), rest["messages_next"]) == (100, 6, None)
    assert rest["messages"][-1]["body"] == "Word 104"


def test_pages_cost_the_same_however_many_rows(cast: Any, key: Key, django_assert_num_queries: Any) -> None:
    desk = key()
    desk.get("/tickets")
    for count in (3, 20):
        while Ticket.objects.count() < count:
            filed(cast)
        # the key, its limit, where it belongs, tickets, clocks
        with django_assert_num_queries(5):
            desk.get("/tickets?limit=100")
        # the key, its limit, where it belongs, the ticket, its messages, its people, its clocks
        ref = Ticket.objects.earliest("pk").ref
        with django_assert_num_queries(7):
            desk.get(f"/tickets/{ref}")


# --- Replying --------------------------------------------------------------------------------------------------------


def test_a_customers_reply_resumes_a_waiting_ticket(cast: Any, key: Key) -> None:
    ticket = filed(cast)
    actions.reply(ticket=ticket, body="Which one?", by=cast.ana, at=timezone.now(), then="ask")
    answer = key().post(f"/tickets/{ticket.ref}/replies", {"body": "This one"})
    assert answer.status_code == 201
    assert answer.json()["message"]["body"] == "This one"
    ticket.refresh_from_db()
    assert (ticket.status, Message.objects.latest("pk").body) == ("in_progress", "This one")


def test_a_closed_ticket_says_that_a_follow_up_is_needed(cast: Any, key: Key) -> None:
    ticket = filed(cast)
    actions.withdraw(ticket=ticket, version=1, reason="withdrawn", by=cast.cora, at=timezone.now())
    assert "follow-up" in problem(key().post(f"/tickets/{ticket.ref}/replies", {"body": "x"}), 409)["detail"]
    assert Message.objects.count() == 1


def test_if_match_refuses_what_answers_an_older_ticket(cast: Any, key: Key) -> None:
    ticket, desk = filed(cast), key()
    etag = desk.get(f"/tickets/{ticket.ref}").headers["ETag"]
    assert desk.post(f"/tickets/{ticket.ref}/replies", {"body": "One"}, If_Match=etag).status_code == 201
    problem(desk.post(f"/tickets/{ticket.ref}/replies", {"body": "Two"}, If_Match=etag), 412)
    assert desk.post(f"/tickets/{ticket.ref}/replies", {"body": "Two"}, If_Match="*").status_code == 201
    assert desk.post(f"/tickets/{ticket.ref}/replies", {"body": "Three"}).status_code == 201


@pytest.mark.parametrize("body", [{}, {"body": ""}, {"body": " \n"}, {"body": 1}, {"body": "x", "then": "resolve"}])
def test_a_reply_without_words_is_refused(cast: Any, key: Key, body: dict[str, Any]) -> None:
    ticket = filed(cast)
    assert len(fields(key(of=cast.ana).post(f"/tickets/{ticket.ref}/replies", body))) == 1
    assert Message.objects.count() == 1


# --- Who may ---------------------------------------------------------------------------------------------------------


def test_no_key_no_answer(cast: Any, key: Key) -> None:
    filed(cast)
    good = key()
    half = good.token[:-3]
    for token in ("", "x", "hd_", half, half + "abc", good.token.upper(), good.token.replace("hd_", "hd__"), "é"):
        answer = Desk(token).get("/tickets")
        problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert good.get("/tickets").status_code == 200


def test_a_session_opens_no_api(cast: Any) -> None:
    client = Client()
    client.force_login(cast.ada)
    assert client.get("/api/tickets").status_code == 401
    assert client.post("/api/tickets", "{}", content_type="application/json").status_code == 401


def test_another_companys_ticket_looks_like_none(cast: Any, key: Key) -> None:
    ticket, gus = filed(cast), key(cast.globex)
    foreign, none = gus.get(f"/tickets/{ticket.ref}"), gus.get("/tickets/HD-999999")
    assert (foreign.status_code, foreign.content) == (none.status_code, none.content) == (404, none.content)
    problem(gus.post(f"/tickets/{ticket.ref}/replies", {"body": "x"}), 404)
    assert gus.get("/tickets").json() == {"tickets": [], "next": None}
    cody = key(of=cast.cody)
    problem(cody.get(f"/tickets/{ticket.ref}"), 404)
    audrey = key(of=cast.audrey)
    problem(audrey.get(f"/tickets/{ticket.ref}"), 404)


def test_a_key_that_only_reads_writes_nothing(cast: Any, key: Key) -> None:
    ticket, desk = filed(cast), key(may_write=False)
    assert desk.get(f"/tickets/{ticket.ref}").status_code == 200
    problem(desk.post("/tickets", PRINTED), 403)
    problem(desk.post(f"/tickets/{ticket.ref}/replies", {"body": "x"}), 403)


def test_a_key_ends(cast: Any, key: Key) -> None:
    now = timezone.now()
    revoked, expired, left, closed = key(), key(), key(of=cast.cora), key(cast.globex)
    keys.revoke_key(key=revoked.key, by=cast.lee, at=now)  # type: ignore[attr-defined]
    ApiKey.objects.filter(pk=expired.key.pk).update(expires_at=now)  # type: ignore[attr-defined]
    people_actions.set_password(person=cast.cora, password="another-long-password", at=now)
    people_actions.change_customer(customer=cast.globex, by=cast.ada, at=now, is_active=False)
    for desk in (revoked, expired, left):
        problem(desk.get("/tickets"), 401)
    assert closed.get("/tickets").json()["tickets"] == []
    assert fields(closed.post("/tickets", PRINTED)) == ["customer_id"]


def test_deactivation_ends_a_persons_keys_for_good(cast: Any, key: Key) -> None:
    desk = key(of=cast.cora)
    people_actions.deactivate_person(person=cast.cora, by=cast.ada, at=timezone.now())
    problem(desk.get("/tickets"), 401)
    people_actions.activate_person(person=cast.cora, by=cast.ada, at=timezone.now())
    problem(desk.get("/tickets"), 401)


def test_only_the_hash_lies_here_and_use_is_told_to_the_hour(
    cast: Any, key: Key, django_assert_num_queries: Any
) -> None:
    desk = key()
    secret = desk.token.split("_", 2)[2]
    stored = ApiKey.objects.get()
    assert len(secret) >= 43
    assert all(secret not in str(v) for v in vars(stored).values())
    desk.get("/tickets")
    first = ApiKey.objects.get().last_used_at
    assert first
    desk.get("/tickets")
    assert ApiKey.objects.get().last_used_at == first


def test_too_many_requests_are_told_when_to_go_on(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tickets.api.A_MINUTE", 2)
    desk, other = key(), key()
    answers = [desk.get("/tickets") for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    problem(answers[2], 429)
    assert answers[2].headers["Retry-After"] == "60"
    assert other.get("/tickets").status_code == 200


# --- Around ----------------------------------------------------------------------------------------------------------


def test_every_error_under_api_is_a_problem(key: Key) -> None:
    problem(key().get("/nothing"), 404)
    answer = Client().delete("/api/tickets")
    problem(answer, 405)
    assert "GET" in answer.headers["Allow"]
    problem(key().post("/nothing", {}), 404)


def test_the_page_for_people_and_the_one_for_programs_say_the_same(client: Client) -> None:
    told = client.get("/api/openapi.json").json()
    page = client.get("/api/docs", headers={"Accept-Language": "en"}).content.decode()
    assert told["openapi"].startswith("3.1")
    for path, methods in told["paths"].items():
        assert path in page
        for one in methods.values():
            assert f'id="{one["operationId"]}"' in page
    assert "Authorization: Bearer" in page
    chinese = client.get("/api/docs", headers={"Accept-Language": "zh-CN"}).content.decode()
    assert "第一张工单" in chinese


def test_the_example_works_when_pasted(key: Key) -> None:
    command = example()
    body = command.split("-d '", 1)[1].rstrip("'")
    assert key().post("/tickets", body, Idempotency_Key="first-ticket").status_code == 201
