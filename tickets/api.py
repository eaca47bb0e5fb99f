"""The API's doors: the same forms and actions as the pages, for programs with a key.

`POST /api/tickets` takes what the checklist prints; everything is answered in JSON, errors as problem+json. A key acts
as its person (accounts/keys.py), so what it may see and do is asked where the pages ask it.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import NinjaAPI, Query
from ninja.errors import AuthenticationError, ValidationError
from ninja.security import HttpBearer

from helpdesk.accounts.doors import LONGEST_KEY, Busy, Mismatch, Refused, limit, once
from helpdesk.accounts.keys import key_of_token
from helpdesk.accounts.models import ApiKey, Customer, User
from helpdesk.accounts.permissions import customers_of
from helpdesk.problem import problem
from helpdesk.templatetags.desk import promised
from helpdesk.text import showable
from sla import clocks, words
from sla.models import Clock
from tickets import actions, api_schema
from tickets.access import access_ticket, in_order, messages_visible_to, people_of, where_it_went
from tickets.forms import ReplyForm, WordsForm
from tickets.models import Category, Source, Ticket
from tickets.workflow import Conflict, Stale

BIGGEST = 1_000_000
A_MINUTE = 600
DEEPEST = 20
MESSAGES = 100
# What the pages' forms ask and this door does not.
PAGES_ONLY = ("then", "last_seen_message", "files")
Did = Callable[[dict[str, Any], datetime], tuple[int, dict[str, Any]]]


class Stopped(Exception):
    """The request goes no further: `answer` is what it gets."""

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


@dataclass
class Asked:
    """Who asks: the key and whom it acts as."""

    key: ApiKey
    user: User


class Key(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> Asked | None:
        key = key_of_token(token, timezone.now())
        return Asked(key, key.user) if key else None


class Described(NinjaAPI):
    """Tells what may be sent as the rows stand now."""

    def get_openapi_schema(self, **kwargs: Any) -> Any:
        return api_schema.described(super().get_openapi_schema(**kwargs), words.read())


api = Described(
    title="Help desk",
    version="1",
    description=api_schema.ABOUT,
    openapi_url="/openapi.json",
    docs_url=None,
    auth=Key(),
    urls_namespace="api",
)


@api.exception_handler(AuthenticationError)
def _no_key(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(401, headers={"WWW-Authenticate": "Bearer"})


@api.exception_handler(ValidationError)
def _wrong_question(request: HttpRequest, error: Any) -> HttpResponse:
    errors: dict[str, list[str]] = {}
    for one in error.errors:
        errors.setdefault(str(one["loc"][-1]), []).append(str(one["msg"]))
    return problem(422, _("Some of it cannot be taken; errors says where."), errors=errors)


@api.exception_handler(Stopped)
def _as_it_is(request: HttpRequest, error: Any) -> HttpResponse:
    return error.answer  # type: ignore[no-any-return]


def door(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """What every operation begins with: no more than so many a minute, and a key that may write where it writes."""

    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        asked: Asked = request.auth
        if not limit(f"api:{asked.key.pk}", A_MINUTE, 60, timezone.now()):
            return problem(429, headers={"Retry-After": "60"})
        if request.method == "POST" and not asked.key.may_write:
            return problem(403, _("This key may only read. Make one with the scope tickets:write."))
        return view(request, *args, **kwargs)

    return guarded


# --- Reading ---------------------------------------------------------------------------------------------------------


@api.get(
    "/tickets",
    response=api_schema.TICKETS,
    summary=gettext_noop("Tickets, newest first"),
    description=gettext_noop(
        "The tickets this key may see. Follow next until it is null: pages neither skip nor repeat a ticket."
    ),
    operation_id="list_tickets",
)
@door
def tickets(request: Any, wish: Query[api_schema.Wish]) -> HttpResponse:
    """The tickets this key may see. Follow `next` until it is null: pages neither skip nor repeat a ticket."""
    user = request.auth.user
    parts = [_asked_for(part, wish) for part in Ticket.objects.parts_visible_to(user)]
    page = list(in_order(parts, ["-id"], wish.limit + 1, "requester", "assigned_to"))
    known = clocks.of_subjects(t.ref for t in page[: wish.limit])
    more = len(page) > wish.limit
    after = f"{page[wish.limit - 1].pk:x}" if more else None
    asked = request.GET.copy()
    asked["after"] = after or ""
    link = f"{settings.SITE_URL}{request.path}?{asked.urlencode()}" if more else None
    body = {"tickets": [summary(t, known[t.ref]) for t in page[: wish.limit]], "next": link}
    return _json(body, **({"Link": f'<{link}>; rel="next"'} if link else {}))


def _asked_for(rows: Any, wish: api_schema.Wish) -> Any:
    if wish.status:
        rows = rows.filter(status__in=[s.value for s in wish.status])
    if wish.priority:
        rows = rows.filter(priority__in=wish.priority)
    return rows.filter(pk__lt=int(wish.after, 16)) if wish.after else rows


@api.get(
    "/tickets/{ref}",
    response=api_schema.TICKET,
    summary=gettext_noop("One ticket"),
    description=gettext_noop(
        "The ticket with what was said on it, oldest first, a hundred messages at a time. The number of a ticket that "
        "was merged answers with the one it went into, under its own ref; a reply to the old number is a 409."
    ),
    operation_id="get_ticket",
)
@door
def ticket(request: Any, ref: str, wish: Query[api_schema.MessagesWish]) -> HttpResponse:
    """The ticket with what was said on it, oldest first, a hundred messages at a time."""
    found = where_it_went(request.auth.user, access_ticket(request.auth.user, ref))
    return _json(whole(found, request.auth.user, timezone.now(), wish.messages_after), ETag=f'"{found.version}"')


# --- Writing ---------------------------------------------------------------------------------------------------------


class NewTicketForm(WordsForm):
    """A new ticket as a program sends it: the priority by name, the company by id where there is a choice."""

    priority = forms.CharField(required=False, max_length=20)
    impact = forms.CharField(required=False, max_length=20)
    urgency = forms.CharField(required=False, max_length=20)
    customer_id = forms.CharField(required=False, max_length=60)
    requester = forms.EmailField(required=False, max_length=254)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        self.fields["category"].required = False

    def clean_category(self) -> str:
        return self.cleaned_data["category"] or str(Category.TECHNICAL)

    def clean_customer_id(self) -> Customer:
        """The company, or the only one. What does not exist and what is not theirs get the same answer."""
        text, mine = self.cleaned_data["customer_id"], list(customers_of(self.by))
        if not text and len(mine) != 1:
            raise forms.ValidationError(_("Say which company: there is more than one."))
        found = _customer(text, self.by) if text else Customer.objects.get(pk=mine[0])
        if found is None or not (self.by.is_desk or found.pk in mine):
            raise forms.ValidationError(_("There is no such company for this key."))
        return found

    def clean_requester(self) -> User | None:
        address = self.cleaned_data["requester"]
        if not address and "requester" in self.data:
            raise forms.ValidationError(_("This person does not belong to the company."))
        if not address:
            if self.by.is_desk:
                raise forms.ValidationError(_("Say for whom: the mail address of a person of the company."))
            return None
        found = User.objects.people().filter(email__iexact=address, is_active=True).first()
        if found is None:
            raise forms.ValidationError(_("This person does not belong to the company."))
        return found

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if not said.get("priority") and not (said.get("impact") and said.get("urgency")):
            self.add_error("priority", _("Say the priority, or impact and urgency, which propose it."))
        return said


def _customer(text: str, by: User) -> Customer | None:
    try:
        found = Customer.objects.active().filter(pk=UUID(text))
        return (found.known_to(by) if by.is_desk else found).first()
    except ValueError:
        return None


@api.post(
    "/tickets",
    response=api_schema.CREATED,
    summary=gettext_noop("File a ticket"),
    description=gettext_noop("Files a ticket and answers with its number and its promise."),
    operation_id="create_ticket",
    openapi_extra=api_schema.body(api_schema.NewTicket, "NewTicket", idempotent=True),
)
@door
def create(request: Any) -> HttpResponse:
    """Files a ticket and answers with its number and its promise."""
    by: User = request.auth.user

    def act(said: dict[str, Any], at: datetime) -> tuple[int, dict[str, Any]]:
        customer, priority = said.pop("customer_id"), said.pop("priority") or None
        opened = actions.open_ticket(**said, customer=customer, priority=priority, source=Source.API, by=by, at=at)
        return 201, whole(opened, by, at)

    return _write(request, lambda data: NewTicketForm(data, by=by), act)


@api.post(
    "/tickets/{ref}/replies",
    response=api_schema.REPLIED,
    summary=gettext_noop("Reply publicly"),
    description=gettext_noop(
        "A customer's reply resumes a waiting ticket and reopens a resolved one; a closed one stays closed."
    ),
    operation_id="create_reply",
    openapi_extra=api_schema.body(api_schema.NewReply, "NewReply", idempotent=True, matched=True),
)
@door
def reply(request: Any, ref: str) -> HttpResponse:
    """Writes a public reply. A customer's resumes a waiting ticket and reopens a resolved one; closed stays closed."""
    by: User = request.auth.user
    found = access_ticket(by, ref)

    def act(said: dict[str, Any], at: datetime) -> tuple[int, dict[str, Any]]:
        message = actions.reply(ticket=found, body=said["body"], version=version, by=by, at=at)
        # The instant of the message and not of the door: history is never earlier than what it follows.
        return 201, {"ref": found.ref, "message": _message(message, {by.pk: by.name})}

    version = _matched(request)
    return _write(request, ReplyForm, act)


def _matched(request: HttpRequest) -> int | None:
    """The version that If-Match asks for; None where any will do, one that no ticket has where it cannot be read."""
    wanted = request.headers.get("If-Match", "").strip()
    if wanted in ("", "*"):
        return None
    number = wanted.removeprefix("W/").strip('"')
    return int(number) if number.isdecimal() and number.isascii() and len(number) < 10 else 0


def _write(request: Any, form_of: Callable[[dict[str, Any]], forms.Form], act: Did) -> HttpResponse:
    """One way through every write: read, check, do once, answer."""
    asked: Asked = request.auth
    body = _read(request)
    form = form_of({})
    wrong = {name: [_("There is no such field.")] for name in body if name not in form.fields or name in PAGES_ONLY}
    wrong |= {n: [_("This must be text.")] for n, v in body.items() if n not in wrong and not isinstance(v, str)}
    form = form_of({n: v for n, v in body.items() if n not in wrong})
    if wrong or not form.is_valid():
        return _mistakes(wrong | {n: list(map(str, m)) for n, m in form.errors.items() if n not in wrong})
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > LONGEST_KEY or (key and not key.isprintable()):
        return problem(400, _("The Idempotency-Key is too long or cannot be printed."))
    at = timezone.now()
    digest = hashlib.sha256(request.body).hexdigest()
    try:
        with once(owner=asked.user.key, key=key, path=f"POST {request.path}", digest=digest, at=at) as slot:
            if slot.answer:
                return _again(slot.answer.status, slot.answer.body, asked.user)
            status, told = act(form.cleaned_data, at)
            text = json.dumps(told, ensure_ascii=False)
            slot.keep(status, text)
        return _told(status, text, told)
    except Refused as refused:
        # The action knows the company and not the name this door gives it.
        field = {"customer": "customer_id"}.get(refused.field, refused.field)
        return _mistakes({field or "body": [str(refused)]})
    except Stale as stale:
        detail = _("The ticket changed since: its version is %(version)s.") % {"version": stale.ticket.version}
        return problem(412, detail)
    except Conflict as conflict:
        return problem(409, str(conflict))
    except Mismatch:
        return problem(422, _("This Idempotency-Key was used before with another body."))
    except Busy as busy:
        return problem(
            409, _("The ticket is being written this very moment."), headers={"Retry-After": str(busy.retry_after_s)}
        )


def _again(status: int, text: str, user: User) -> HttpResponse:
    told = json.loads(text)
    # What was allowed when it was first sent need not be now.
    access_ticket(user, told["ref"])
    answer = _told(status, text, told)
    answer.headers["Idempotency-Replayed"] = "true"
    return answer


def _told(status: int, text: str, told: dict[str, Any]) -> HttpResponse:
    answer = HttpResponse(text, status=status, content_type="application/json")
    answer.headers["Location"] = f"{settings.SITE_URL}/api/tickets/{told['ref']}"
    return answer


def _mistakes(errors: dict[str, list[str]]) -> HttpResponse:
    return problem(422, _("Some of it cannot be taken; errors says where."), errors=errors)


# --- JSON in ---------------------------------------------------------------------------------------------------------


def _read(request: HttpRequest) -> dict[str, Any]:
    """The body as an object. Raises Stopped where it is too large, no JSON, or says one thing twice."""
    if request.content_type != "application/json":
        raise Stopped(problem(415))
    if int(request.headers.get("Content-Length") or 0) > BIGGEST:
        raise Stopped(problem(413))
    try:
        found = json.loads(request.body.decode(), object_pairs_hook=_object, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Stopped(problem(400, _("The body is no JSON that can be read."))) from error
    if not isinstance(found, dict):
        raise Stopped(problem(400, _("The body must be an object: {…}.")))
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return {showable(name): value for name, value in found.items()}


def _no_number(text: str) -> float:
    raise ValueError(text)


# --- JSON out --------------------------------------------------------------------------------------------------------


def _json(body: dict[str, Any], **headers: str) -> HttpResponse:
    text = json.dumps(body, ensure_ascii=False)
    return HttpResponse(text, content_type="application/json", headers=headers)


def _instant(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None


def summary(ticket: Ticket, known: Iterable[Clock]) -> dict[str, Any]:
    """A ticket as a list shows it. Instants are RFC 3339 in UTC."""
    due = {c.kind: c.due_at for c in known}
    return {
        "id": ticket.pk,
        "ref": ticket.ref,
        "url": f"{settings.SITE_URL}/tickets/{ticket.ref}/",
        "title": ticket.title,
        "status": ticket.status,
        "priority": ticket.priority_id,
        "category": ticket.category,
        "who_acts": ticket.turn,
        "service": ticket.service or None,
        "source": ticket.source,
        "customer_id": str(ticket.customer_id),
        "requester": ticket.requester.name,
        "assigned_to": ticket.assigned_to.name if ticket.assigned_to else None,
        "created_at": _instant(ticket.created_at),
        "updated_at": _instant(ticket.last_event_at),
        "first_response_due": _instant(due.get("response")),
        "resolution_due": _instant(due.get("resolution")),
        "sla_due_at": _instant(ticket.sla_due_at),
        "version": ticket.version,
    }


def whole(ticket: Ticket, viewer: User, at: datetime, after: int = 0) -> dict[str, Any]:
    """A ticket with its messages from number `after` on, as this person may read them."""
    said = messages_visible_to(viewer, ticket, at).filter(pk__gt=after).only(*api_schema.SAID).order_by("id")
    page = list(said[: MESSAGES + 1])
    names = {pk: person.name for pk, person in people_of(ticket, {m.author_id for m in page}).items()}
    known = clocks.of_subjects([ticket.ref])[ticket.ref]
    return summary(ticket, known) | {
        "why": _why(ticket),
        "messages": [_message(m, names) for m in page[:MESSAGES]],
        "messages_next": page[MESSAGES - 1].pk if len(page) > MESSAGES else None,
    }


def _why(ticket: Ticket) -> str:
    target = clocks.targets_of(ticket.terms)[ticket.priority_id]
    return _(
        "%(priority)s: first answer within %(response)s, solved within %(resolution)s, by SLA version %(number)s."
    ) % {
        "priority": ticket.priority_id,
        "response": promised(target.response_s),
        "resolution": promised(target.resolution_s),
        "number": ticket.policy_number,
    }


def _message(message: Any, names: dict[int, str]) -> dict[str, Any]:
    return {
        "id": message.pk,
        "kind": message.kind,
        "by_desk": message.by_desk,
        "author": names[message.author_id],
        "body": message.body,
        "at": _instant(message.at),
    }
