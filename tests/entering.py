"""Somebody at the desk's doors without a browser, and what a page says to them."""

import html
import re
from typing import Any

from django.test import Client

from helpdesk.accounts.models import User


def enter(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def words(answer: Any) -> str:
    """What a page says, without its marks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())
