"""The site map, and beside it a page that does nothing: what a signed-in request costs before any work."""

from django.http import HttpResponse
from django.urls import include, path

from tickets.pages import Asked, people_only


@people_only
def nothing(request: Asked) -> HttpResponse:
    return HttpResponse("nothing\n", content_type="text/plain; charset=utf-8")


urlpatterns = [path("bench/nothing", nothing, name="bench_nothing"), path("", include("helpdesk.urls"))]
