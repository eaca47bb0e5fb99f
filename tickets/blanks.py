"""The blanks of a canned reply: `{customer}` stands for the company's name, and so on down a list of names.

A blank is one pair of braces around one word and nothing else. It is looked up in a table of texts: nothing is
evaluated, no attribute is followed, no template engine meets what people typed. Whatever is no blank of the list stays
as it was typed, `{{ settings.SECRET_KEY }}`, `{% load %}`, `{0.__class__}` and `%(x)s` among it. A text goes through
once: braces in a value are the value's own.
"""

from collections.abc import Mapping

import regex
from django.utils.translation import gettext_lazy as _l

BLANKS = {
    "customer": _l("the company"),
    "requester": _l("who asked"),
    "ref": _l("the ticket's number"),
    "title": _l("the ticket's title"),
    "priority": _l("its priority"),
    "due": _l("what is due next, in the requester's time"),
    "engineer": _l("you, who send it"),
}
# Two braces are somebody's template or code.
BLANK = regex.compile(r"(?<!\{)\{(\p{L}[\p{L}\p{M}\p{N}_]{0,39}+)\}(?!\})")


def unknown(text: str) -> list[str]:
    """The blanks of a text that stand for nothing, each once, in their order."""
    return list(dict.fromkeys(name for name in BLANK.findall(text) if name not in BLANKS))


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its blanks filled in; a blank without a value stays as it stands."""
    return str(BLANK.sub(lambda found: values.get(found[1], found[0]), text))
