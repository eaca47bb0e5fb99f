"""The API's page for people, made of the same description that programs read, so that the two cannot differ."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tickets.api import A_MINUTE, api

EXAMPLE = """curl -sS {site}/api/tickets \\
  -H "Authorization: Bearer hd_…" \\
  -H "Content-Type: application/json" \\
  -H "Idempotency-Key: first-ticket" \\
  -d '{{"title": "{title}", "description": "{text}", "priority": "low"}}'"""


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """How the API is used; public, because it tells nothing that openapi.json does not."""
    context = {"section": "", "example": example(), "operations": list(_operations()), "a_minute": A_MINUTE}
    return render(request, "api/docs.html", context)


def example() -> str:
    """A command that works when pasted, once the key stands in it."""
    title, text = _("A question about the API"), _("We are trying it out.")
    return EXAMPLE.format(site=settings.SITE_URL, title=title, text=text)


def _operations() -> Any:
    told = api.get_openapi_schema()
    for path, methods in told["paths"].items():
        for method, one in methods.items():
            sent = one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            yield {
                "id": one["operationId"],
                "method": method.upper(),
                "path": path,
                "summary": _spoken(one["summary"]),
                "description": _spoken(one["description"]),
                "parameters": [_parameter(p) for p in one["parameters"]],
                "fields": [_field(n, p, sent.get("required", [])) for n, p in sent.get("properties", {}).items()],
                "answers": ", ".join(map(str, sorted(one["responses"]))),
            }


def _parameter(one: dict[str, Any]) -> dict[str, Any]:
    schema = one["schema"]
    text = one.get("description") or schema.get("description", "")
    return {"name": one["name"], "where": one["in"], "kind": _kind(schema), "text": _spoken(text)}


def _field(name: str, schema: dict[str, Any], required: list[str]) -> dict[str, Any]:
    text = schema.get("description", "")
    return {"name": name, "kind": _kind(schema), "text": _spoken(text), "required": name in required}


def _kind(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        schema = next(k for k in schema["anyOf"] if k.get("type") != "null")
    most = next((f" ≤ {schema[k]}" for k in ("maxLength", "maximum") if k in schema), "")
    return str(schema.get("type", "string")) + most


def _spoken(text: str) -> str:
    """A text of the description in the reader's language; it was marked where it stands."""
    return str(translation.gettext(text)) if text else ""
