"""Addresses within a report: narrowed to one of its rows, or to the clocks behind one of its numbers."""

from typing import Any

from django import template
from django.urls import reverse

register = template.Library()


@register.simple_tag
def narrowed_link(wish: Any, name: str, value: str) -> str:
    """The address of a report narrowed to one of its rows."""
    return str(wish.narrowed(name, value).query())


@register.simple_tag
def clocks_link(wish: Any, kind: str, show: str = "decided", name: str = "", value: str = "") -> str:
    """The address of the clocks behind a number of a report, narrowed to one row of it (tickets/reporting.py)."""
    narrowed = wish.narrowed(name, value) if name and value else wish
    return f"{reverse('sla_clocks')}?{narrowed.narrowed('kind', kind).query(show=show)}"
