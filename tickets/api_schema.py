"""The API in words: what goes in, what comes out, which errors there are. OpenAPI and the docs page are made of it.

Descriptions are marked here and translated where the page is drawn: openapi.json is in English.
"""

from typing import Annotated, Any

from django.utils.translation import gettext_noop as _
from ninja import Schema
from pydantic import Field

from helpdesk.problem import CONTENT_TYPE
from oncall.families import FAMILIES
from sla.words import Words
from tickets.models import Category, Status

ABOUT = (
    "Tickets for programs. Send `Authorization: Bearer hd_…` with each request; keys are made under /account/keys. "
    "Errors are application/problem+json (RFC 9457). A POST with an `Idempotency-Key` counts once, however often it is "
    "sent within 24 hours."
)
SAID = ["ticket_id", "kind", "by_desk", "author_id", "body", "at"]

Code = Annotated[str, Field(pattern="^[a-z0-9_-]{1,20}$")]


class Wish(Schema):
    status: list[Status] = Field([], description=_("Only tickets in these states."))
    priority: list[Code] = Field([], description=_("Only these priorities."))
    limit: int = Field(25, ge=1, le=100)
    after: str | None = Field(None, pattern="^[0-9a-f]{1,15}$", description=_("Taken from `next`."))


class MessagesWish(Schema):
    messages_after: int = Field(0, ge=0, le=2**53, description=_("Taken from `messages_next`."))


class NewTicket(Schema):
    title: str = Field(max_length=500, min_length=1, examples=["Database connections time out"])
    description: str = Field(max_length=50_000, min_length=1, examples=["Since 09:40 `orders-prod` refuses them."])
    priority: str | None = Field(None, description=_("Needed unless impact and urgency are there."), examples=["high"])
    customer_id: str | None = Field(None, description=_("The company's UUID; needed where the key serves several."))
    category: str | None = Field(None, description=_("technical, billing or account; technical where it is left out."))
    service: str | None = Field(None, description=_("The family of AWS services it is about."))
    impact: str | None = Field(
        None,
        description=_("With urgency it proposes the priority; a category with answers of its own takes those alone."),
    )
    urgency: str | None = Field(None)
    requester: str | None = Field(None, description=_("Mail address of the person of the company who asks."))


class NewReply(Schema):
    body: str = Field(max_length=50_000, min_length=1, examples=["It works again since 10:12, thank you."])


class Message(Schema):
    id: int
    kind: str
    by_desk: bool
    author: str
    body: str
    at: str


class Summary(Schema):
    id: int = Field(examples=[1042])
    ref: str = Field(examples=["HD-1042"])
    url: str
    title: str
    status: Status
    who_acts: str = Field(description=_("Who has to act next: us, customer or aws."))
    priority: str
    category: str
    service: str | None
    source: str
    customer_id: str
    requester: str
    assigned_to: str | None
    created_at: str = Field(description=_("RFC 3339, UTC, as all instants here."))
    updated_at: str
    first_response_due: str | None = Field(description=_("Null while the clock does not run."))
    resolution_due: str | None = Field(description=_("Null while the clock does not run."))
    sla_due_at: str | None = Field(description=_("The earlier of those still to be kept; null where none is."))
    version: int = Field(description=_("Grows with each change; ETag and If-Match carry it."))


class Whole(Summary):
    why: str = Field(description=_("The promise behind the due times, in the language of the request."))
    messages: list[Message]
    messages_next: int | None


class Page(Schema):
    tickets: list[Summary]
    next: str | None


class Replied(Schema):
    ref: str
    message: Message


class FieldError(Schema):
    field: str
    message: str


class Problem(Schema):
    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None


def _with(*codes: int) -> dict[int, type[Schema]]:
    return dict.fromkeys(codes, Problem)


TICKETS: dict[int, Any] = {200: Page, **_with(401, 422, 429)}
TICKET: dict[int, Any] = {200: Whole, **_with(401, 404, 422, 429)}
CREATED: dict[int, Any] = {201: Whole, **_with(400, 401, 403, 404, 409, 413, 415, 422, 429)}
REPLIED: dict[int, Any] = {201: Replied, **_with(400, 401, 403, 404, 409, 412, 413, 415, 422, 429)}


def body(model: type[Schema], name: str, *, idempotent: bool = False, matched: bool = False) -> dict[str, Any]:
    """What OpenAPI says of a request body that the desk's own forms read."""
    schema = _plain(model.model_json_schema()) | {"additionalProperties": False}
    headers = []
    if idempotent:
        headers.append(_header("Idempotency-Key", _("The same key counts once in 24 hours."), {"maxLength": 200}))
    if matched:
        headers.append(_header("If-Match", _("The version this answers; another one is refused with 412."), {}))
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}, "parameters": headers}


def _header(name: str, text: str, more: dict[str, Any]) -> dict[str, Any]:
    return {"in": "header", "name": name, "required": False, "description": text, "schema": {"type": "string", **more}}


def described(told: dict[str, Any], words: Words) -> dict[str, Any]:
    """The description as it holds now: problems under their own type, and the codes that may be sent, from the rows."""
    for methods in told["paths"].values():
        for one in methods.values():
            for status, answer in one["responses"].items():
                if int(status) >= 400:
                    answer["content"] = {CONTENT_TYPE: answer["content"].pop("application/json")}
    sent = told["paths"]["/api/tickets"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    codes = {"priority": [*words.priorities], "impact": [*words.impacts], "urgency": [*words.urgencies]}
    for name, known in codes.items():
        sent["properties"][name] |= {"enum": known}
    sent["properties"]["category"] |= {"enum": list(Category.values)}
    sent["properties"]["service"] |= {"enum": list(FAMILIES)}
    sent["properties"]["customer_id"] |= {"format": "uuid"}
    sent["properties"]["requester"] |= {"format": "email"}
    sent["anyOf"] = [{"required": ["priority"]}, {"required": ["impact", "urgency"]}]
    return told


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    # A field that may be left out is left out, not sent as null.
    for one in schema["properties"].values():
        if kinds := one.pop("anyOf", None):
            one |= next(k for k in kinds if k.get("type") != "null")
            one.pop("default", None)
    return schema
