"""The desk as helpdesk.wsgi serves it, with the bench's own page beside it."""

from django.conf import settings

from helpdesk.wsgi import application

__all__ = ["application"]

settings.ROOT_URLCONF = "helpdesk.bench.urls"
