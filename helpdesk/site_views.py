"""The logo and the colour of the site, each at an address that changes with it: a browser asks once."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from helpdesk import colour, site
from helpdesk.models import SiteSettings

FOR_EVER = "public, max-age=31536000, immutable"
FOR_NOW = "public, max-age=60"


@require_safe
def logo(request: HttpRequest) -> HttpResponse:
    """The picture, as we drew it."""
    row = SiteSettings.objects.exclude(logo_digest="").only("logo", "logo_type", "logo_digest").first()
    if row is None:
        raise Http404
    answer = HttpResponse(bytes(row.logo), content_type=row.logo_type)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    answer.headers["Content-Disposition"] = 'inline; filename="logo.png"'
    return _kept(request, answer, row.logo_digest[:16])


@require_safe
def colours(request: HttpRequest) -> HttpResponse:
    """The tokens of the accent, as tokens.css names them; empty where the site has no colour of its own."""
    own = site.current().colour
    lines = (
        [f"--{name}: light-dark({day}, {night});" for name, (day, night) in colour.tokens(own).items()] if own else []
    )
    sheet = "@layer tokens { :root { " + " ".join(lines) + " } }\n" if lines else "\n"
    return _kept(request, HttpResponse(sheet, content_type="text/css; charset=utf-8"), own.lstrip("#"))


def _kept(request: HttpRequest, answer: HttpResponse, now: str) -> HttpResponse:
    """For ever at the address that names this very version, briefly at any other."""
    answer.headers["Cache-Control"] = FOR_EVER if now and request.GET.get("v") == now else FOR_NOW
    return answer
