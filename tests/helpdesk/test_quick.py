"""Fixed sentences and addresses of a template are found once a process, for each language on its own."""

import pytest
from django.template import Context, Template
from django.template.base import NodeList
from django.utils import translation

from helpdesk.templatetags import quick


def said(template: Template, language: str, **given: object) -> str:
    with translation.override(language):
        return template.render(Context(given))


@pytest.fixture
def quickly() -> NodeList:
    """The nodes of a template that says one of each."""
    return Template(
        '{% translate "Tickets" %}|{% blocktranslate trimmed %}Filed {{ time }}{% endblocktranslate %}'
        '|{% url "tickets" %}'
    ).nodelist


def test_a_fixed_sentence_is_said_in_each_readers_language() -> None:
    template = Template('{% translate "Tickets" %}')
    assert [said(template, code) for code in ("en", "zh-hans", "en")] == ["Tickets", "工单", "Tickets"]


def test_what_fills_a_blank_is_escaped_and_changes_with_every_reader() -> None:
    template = Template("{% blocktranslate trimmed with time=at %}Filed {{ time }}{% endblocktranslate %}")
    assert said(template, "en", at="14:20") == "Filed 14:20"
    assert said(template, "en", at="<b>") == "Filed &lt;b&gt;"
    assert "14:25" in said(template, "zh-hans", at="14:25") != said(template, "en", at="14:25")


def test_the_three_take_the_quick_way(quickly: NodeList) -> None:
    ours = [type(node) for node in quickly if node.__class__.__module__ == quick.__name__]
    assert ours == [quick.Sentence, quick.Blanks, quick.Address]


@pytest.mark.parametrize(
    "source",
    [
        '{% translate "Tickets" as word %}',
        "{% translate word %}",
        '{% translate "Tickets"|upper %}',
        "{% blocktranslate count n=n %}one{% plural %}many{% endblocktranslate %}",
        '{% url "ticket" ref %}',
        "{% url name %}",
    ],
)
def test_what_depends_on_more_than_the_language_goes_djangos_way(source: str) -> None:
    assert not [node for node in Template(source).nodelist if type(node).__module__ == quick.__name__]


def test_a_number_of_things_keeps_its_plural() -> None:
    template = Template("{% blocktranslate count n=n %}one{% plural %}{{ n }} of them{% endblocktranslate %}")
    assert [said(template, "en", n=n) for n in (1, 3)] == ["one", "3 of them"]


def test_an_address_kept_for_later_in_the_page_is_the_same_each_time() -> None:
    template = Template('{% url "tickets" as there %}{{ there }}')
    assert [said(template, "en"), said(template, "en")] == ["/tickets/", "/tickets/"]
