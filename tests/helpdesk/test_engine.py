"""The desk's own engine says what Django's says, in fewer steps."""

from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.template import Context, Engine
from django.utils import translation
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import SafeString

from helpdesk import engine
from helpdesk.templatetags.quick import Address, Sentence

PARTS = {
    "part.html": "[{{ one }}{{ forloop.counter }}]",
    "stateful.html": "{% cycle 'a' 'b' %}",
    "sets.html": "{% icon 'check' as mark %}{{ mark }}",
    "page.html": "<{% block title %}none{% endblock %}>{% block body %}{% translate 'Tickets' %}{% endblock %}",
    "middle.html": "{% extends 'page.html' %}{% block body %}{{ block.super }}, {{ one }}{% endblock %}",
}
SOURCES = [
    "{{ one }} {{ safe }} {{ number }} {{ big }} {{ nothing }} {{ ratio }} {{ day }} {{ yes }}",
    "{{ missing }}|{{ missing.more }}|{{ one.missing }}|{{ things.7 }}|{{ missing|default:'-' }}",
    "{{ things.0 }} {{ table.key }} {{ table.items }} {{ table.method }}",
    "{{ thing.name }} {{ thing.method }} {{ thing.0 }}",
    "{{ thing.changes }}|{{ thing.needs }}|{{ thing.lost }}|{{ kind }}|{{ kind.x }}",
    "{{ lazy.name }} {{ lazy.method }} {{ lazy }}",
    "{% if one == '<b>' and not missing %}a{% elif thing.name %}b{% else %}c{% endif %}",
    "{% if missing.more %}d{% endif %}{% if missing > 3 %}a{% endif %}{% if number in things %}b{% endif %}",
    "{% if thing.lost %}c{% endif %}",
    "{% for one in things %}{% include 'part.html' %}{{ forloop.last }}{% empty %}none{% endfor %}",
    "{% for one in missing %}a{% empty %}{% icon 'check' %}none{% endfor %}{{ one }}",
    "{% include 'part.html' with one='<i>' %}{% include 'part.html' with one=number only %}{{ one }}",
    "{% include 'stateful.html' %}{% include 'stateful.html' %}",
    "{% for x in things %}{% include 'stateful.html' %}{% endfor %}",
    "{% include 'sets.html' %}|{{ mark }}",
    "{% include name %}",
    "{% extends 'page.html' %}{% block title %}{{ one }}{% endblock %}",
    "{% extends 'middle.html' %}{% block title %}{{ block.super }}{% endblock %}",
    "{% translate 'Tickets' %}{% icon 'check' %}{% url 'tickets' %}{% asset 'icons.svg' %}{% comma %}{{ one }}",
    "{% url 'tickets' as there %}{{ there }}{% with two=one three='<' %}{{ two }}{{ three }}{% endwith %}",
    "{% autoescape off %}{{ one }}{{ number }}{{ one|upper }}{% endautoescape %}{{ one|upper|lower }}",
]


class Lost(ObjectDoesNotExist):
    silent_variable_failure = True


class Thing:
    name = "<thing>"

    def __str__(self) -> str:
        return "a <thing>"

    def method(self) -> str:
        return "called"

    def changes(self) -> str:
        raise AssertionError

    changes.alters_data = True  # type: ignore[attr-defined]

    def needs(self, more: object) -> str:
        return "never"

    @property
    def lost(self) -> str:
        raise Lost

    @property
    def broken(self) -> str:
        raise AttributeError("within the property")

    def wrong(self) -> str:
        raise TypeError("within the method")


class Kind:
    do_not_call_in_templates = True
    x = 3

    def __str__(self) -> str:
        return "kind"

    def __call__(self) -> str:
        raise AssertionError


def given() -> dict[str, Any]:
    import datetime

    told = {"key": "value", "items": "mine", "method": lambda: "called"}
    return {
        "one": "<b>",
        "safe": SafeString("<b>"),
        "number": 1234567,
        "big": 12345.678,
        "ratio": 0.5,
        "nothing": None,
        "yes": True,
        "day": datetime.datetime(2026, 11, 25, 6, 30, tzinfo=datetime.UTC),
        "things": ["x", "<y>", 1234567],
        "table": told,
        "thing": Thing(),
        "kind": Kind(),
        "lazy": SimpleLazyObject(Thing),
        "name": "part.html",
    }


def an_engine(loader: str, invalid: str = "") -> Engine:
    from django.conf import settings

    parts = ("django.template.loaders.locmem.Loader", PARTS)
    options = settings.TEMPLATES[0]["OPTIONS"]
    return Engine(loaders=[(loader, [parts])], builtins=options["builtins"], string_if_invalid=invalid)


def said(loader: str, source: str, language: str, invalid: str = "") -> str:
    PARTS["whole.html"] = source
    with translation.override(language):
        template = an_engine(loader, invalid).get_template("whole.html")
        return "|".join([template.render(Context(given())), template.render(Context(given()))])


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("invalid", ["", "!", "(%s)"])
def test_both_say_the_same(source: str, language: str, invalid: str) -> None:
    theirs = said("django.template.loaders.cached.Loader", source, language, invalid)
    assert said("helpdesk.engine.Loader", source, language, invalid) == theirs


@pytest.mark.parametrize(
    ("source", "error"), [("{{ thing.broken }}", AttributeError), ("{{ thing.wrong }}", TypeError)]
)
def test_an_error_inside_what_is_asked_is_no_missing_name(source: str, error: type[Exception]) -> None:
    with pytest.raises(error, match="within"):
        said("helpdesk.engine.Loader", source, "en")


def test_what_is_fixed_is_one_step_and_follows_the_reader() -> None:
    PARTS["whole.html"] = "<p>{% translate 'Tickets' %}{% icon 'check' %}{% url 'tickets' %}</p>{{ one }}<b>"
    template = an_engine("helpdesk.engine.Loader").get_template("whole.html")
    assert [type(node).__name__ for node in template.nodelist] == ["Fixed", "Value", "TextNode"]
    assert {type(part) for part in template.nodelist[0].parts} >= {Sentence, Address}
    for language, word in (("en", "Tickets"), ("zh-hans", "工单"), ("en", "Tickets")):
        with translation.override(language):
            assert f"<p>{word}<svg" in template.render(Context({"one": language}))


def test_a_part_that_keeps_something_for_itself_gets_a_place_of_its_own() -> None:
    loaded = an_engine("helpdesk.engine.Loader")
    whole = {name: loaded.get_template(name) for name in PARTS if name != "whole.html"}
    assert {name for name, one in whole.items() if isinstance(one, engine.Template) and one.is_plain} == {
        "part.html",
        "sets.html",
    }
