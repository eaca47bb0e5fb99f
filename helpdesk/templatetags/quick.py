"""Django's own `translate`, `blocktranslate` and `url`, which find out once what cannot change while a process runs.

A ticket's page says some two hundred fixed sentences and a dozen fixed addresses. Looking each of them up anew took a
fifth of the time the page takes; kept per language, they cost next to nothing. What depends on more than the language
(a plural, a context, an argument) goes Django's way.
"""

from typing import Any

from django import template
from django.conf import settings
from django.template import Context
from django.template.base import Parser, Token, render_value_in_context
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as django_url
from django.templatetags.i18n import BlockTranslateNode, TranslateNode, do_block_translate, do_translate
from django.utils.translation import get_language, gettext, trim_whitespace

register = template.Library()


class Sentence(TranslateNode):
    """A text that stands in the template as it is."""

    def __init__(self, node: TranslateNode) -> None:
        super().__init__(node.filter_expression, node.noop)
        self.said: dict[str | None, str] = {}

    def render(self, context: Context) -> str:
        language = get_language()
        if language not in self.said:
            self.said[language] = super().render(context)
        return self.said[language]


class Blanks(BlockTranslateNode):
    """A sentence with blanks in it; the sentence is fixed, what fills the blanks is not."""

    def __init__(self, node: BlockTranslateNode) -> None:
        super().__init__(node.extra_context, node.singular, trimmed=node.trimmed)
        said, self.blanks = self.render_token_list(self.singular)
        self.msgid = trim_whitespace(said) if self.trimmed else said
        self.said: dict[str | None, str] = {}

    def render(self, context: Context, nested: bool = False) -> str:
        language = get_language()
        if language not in self.said:
            self.said[language] = gettext(self.msgid)
        given = {name: value.resolve(context) for name, value in self.extra_context.items()}
        filled = {
            name: render_value_in_context(given[name] if name in given else _of(context, name), context)
            for name in self.blanks
        }
        try:
            return self.said[language] % filled
        except (KeyError, ValueError):
            # A translation with a blank of its own: Django falls back to the original.
            return super().render(context, nested)


def _of(context: Context, name: str) -> Any:
    """What a name stands for; where it stands for nothing, what the engine puts there (mails refuse it)."""
    if name in context:
        return context[name]
    assert context.template is not None
    missing = context.template.engine.string_if_invalid
    return missing % name if "%s" in missing else missing


class Address(URLNode):
    """The address of a page that takes no arguments."""

    def __init__(self, node: URLNode) -> None:
        super().__init__(node.view_name, [], {}, node.asvar)
        self.found: dict[str, str] = {}

    def render(self, context: Context) -> str:
        place = settings.ROOT_URLCONF
        if place not in self.found:
            said = super().render(context)
            self.found[place] = context[self.asvar] if self.asvar else said
        if not self.asvar:
            return self.found[place]
        context[self.asvar] = self.found[place]
        return ""


def _fixed(expression: Any) -> bool:
    """Whether a template's expression is a text between quotes and nothing else."""
    var = expression.var
    return not expression.filters and (isinstance(var, str) or str(var.var)[:1] in ('"', "'"))


@register.tag
def translate(parser: Parser, token: Token) -> TranslateNode:
    node = do_translate(parser, token)
    plain = not (node.asvar or node.noop or node.message_context) and _fixed(node.filter_expression)
    return Sentence(node) if plain else node


@register.tag
def blocktranslate(parser: Parser, token: Token) -> BlockTranslateNode:
    node = do_block_translate(parser, token)
    return node if node.plural or node.counter or node.message_context or node.asvar else Blanks(node)


@register.tag
def url(parser: Parser, token: Token) -> URLNode:
    node = django_url(parser, token)
    return node if node.args or node.kwargs or not _fixed(node.view_name) else Address(node)
