"""Django's template language in fewer and quicker steps: the same templates say the same, word by word.

A page is some eight hundred steps, half of them text that never changes for a language, and Django asks each anew what
it is. Here what is fixed stands together as one step, a name is looked up without an exception where it is missing, and
a part (`include`) is found once. What this module does not know goes Django's way. Nothing in it decides what is shown.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from html import escape
from inspect import signature
from typing import Any

from django.conf import settings
from django.template import base, defaulttags, loader_tags
from django.template.base import FilterExpression, Node, NodeList, Origin, TextNode, Variable, VariableDoesNotExist
from django.template.context import BaseContext, Context
from django.template.exceptions import TemplateDoesNotExist
from django.template.library import SimpleNode
from django.template.loaders import base as loaders
from django.template.loaders import cached
from django.utils.functional import SimpleLazyObject, empty
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from helpdesk.templatetags.desk import asset, comma, icon
from helpdesk.templatetags.quick import Address, Blanks, Sentence

MISSING = object()
# Tags that say the same for the same words in the template and the same language.
ALWAYS_THE_SAME = (icon, asset, comma)
# What an index that is none may raise (django.template.base).
NO_INDEX = (TypeError, AttributeError, KeyError, ValueError, IndexError)


class _Ours(loaders.Loader):
    def get_template(self, template_name: str, skip: list[Origin] | None = None) -> base.Template:
        tried: list[tuple[Origin, str]] = []
        for origin in self.get_template_sources(template_name):
            if skip is not None and origin in skip:
                tried.append((origin, "Skipped to avoid recursion"))
                continue
            try:
                # The cache around us gives the contents of every loader it holds.
                said = self.get_contents(origin)  # type: ignore[attr-defined]
            except TemplateDoesNotExist:
                tried.append((origin, "Source does not exist"))
                continue
            return Template(said, origin, str(origin.template_name), self.engine)
        raise TemplateDoesNotExist(template_name, tried=tried)


class Loader(cached.Loader, _Ours):
    """Django's own cache of templates, which are compiled here."""


class Template(base.Template):
    def compile_nodelist(self) -> NodeList:
        tokens = base.Lexer(self.source).tokenize()
        parser = Parser(tokens, self.engine.template_libraries, self.engine.template_builtins, self.origin)
        nodes = parser.parse()
        self.extra_data = getattr(parser, "extra_data", {})
        return nodes

    @cached_property
    def root_blocks(self) -> dict[str, loader_tags.BlockNode] | None:
        """The blocks of a page that extends none; None where it does."""
        first = next((node for node in self.nodelist if not isinstance(node, TextNode)), None)
        if first is None or isinstance(first, loader_tags.ExtendsNode):
            return None
        return {n.name: n for n in _all_of(self.nodelist) if isinstance(n, loader_tags.BlockNode)}

    @cached_property
    def is_plain(self) -> bool:
        """Whether all of its steps leave nothing behind in the render context, so that it needs none of its own."""
        return all(type(node) in PLAIN for node in _all_of(self.nodelist))


class Parser(base.Parser):
    def compile_filter(self, token: str) -> FilterExpression:
        return Expression(token, self)

    def parse(self, parse_until: Iterable[str] | None = None) -> NodeList:
        nodes = super().parse(parse_until)
        for node in nodes:
            node.__class__ = QUICKER.get(type(node), type(node))
        nodes[:] = _joined(nodes)
        return nodes


# --- Names -----------------------------------------------------------------------------------------------------------


class Expression(FilterExpression):
    """A name or a text, with its filters."""

    __slots__ = ()

    def __init__(self, token: str, parser: base.Parser) -> None:
        super().__init__(token, parser)
        named = [arg for _filter, args in self.filters for lookup, arg in args if lookup]
        for one in [*named, self.var]:
            if isinstance(one, Variable) and one.lookups and not one.translate:
                one.__class__ = Path

    def resolve(self, context: Context, ignore_failures: bool = False) -> Any:
        if self.filters or type(self.var) is not Path:
            return super().resolve(context, ignore_failures)
        found = self.var.find(context)
        if found is not MISSING:
            return found
        if ignore_failures:
            return None
        assert context.template is not None
        missing = context.template.engine.string_if_invalid
        return missing % self.var if "%s" in missing else missing


class Path(Variable):
    """A name with dots: each step an index, an attribute or a call, as Django tries them."""

    __slots__ = ()

    def resolve(self, context: Any) -> Any:
        found = self.find(context)
        if found is MISSING:
            raise VariableDoesNotExist("Failed lookup for key [%s] in %r", (self.var, context))
        return found

    def find(self, context: Any) -> Any:
        """What it stands for; MISSING where it stands for nothing."""
        try:
            return self._find(context)
        except Exception as error:
            if getattr(error, "silent_variable_failure", False):
                return context.template.engine.string_if_invalid
            raise

    def _find(self, context: Any) -> Any:
        steps = self.lookups
        assert steps is not None
        if not isinstance(context, BaseContext):
            value, rest = context, steps
        else:
            first, rest = steps[0], steps[1:]
            for scope in reversed(context.dicts):  # type: ignore[attr-defined]
                if first in scope:
                    value = scope[first]
                    break
            else:
                return MISSING
            if callable(value):
                value = _called(value, context)
        for step in rest:
            if type(value) is SimpleLazyObject:
                value = _behind(value)
            value = _stepped(value, step)
            if value is MISSING:
                return MISSING
            if callable(value):
                value = _called(value, context)
        return value


def _behind(lazy: Any) -> Any:
    """What a lazy object stands for: its own answers are those of what is behind it, in more steps."""
    if lazy._wrapped is empty:
        lazy._setup()
    return lazy._wrapped


def _stepped(value: Any, step: str) -> Any:
    if hasattr(type(value), "__getitem__"):
        try:
            return value[step]
        except NO_INDEX:
            pass
    try:
        return getattr(value, step)
    except (TypeError, AttributeError):
        # What a property of its own raises is an error in the property.
        if step in dir(value):
            raise
    try:
        return value[int(step)]
    except NO_INDEX:
        return MISSING


def _called(value: Any, context: Any) -> Any:
    if getattr(value, "do_not_call_in_templates", False):
        return value
    if getattr(value, "alters_data", False):
        return context.template.engine.string_if_invalid
    try:
        return value()
    except TypeError:
        if _takes_nothing(value):
            raise
        return context.template.engine.string_if_invalid


def _takes_nothing(value: Any) -> bool:
    try:
        signature(value).bind()
    except (TypeError, ValueError):
        return False
    return True


# --- Steps -----------------------------------------------------------------------------------------------------------


class Fixed(Node):
    """Steps that stand beside each other and say the same each time, in each language: one text."""

    child_nodelists = ()

    def __init__(self, parts: list[Node]) -> None:
        self.parts = parts
        self.token, self.origin = parts[0].token, parts[0].origin
        self.said: dict[tuple[str | None, str], str] = {}

    def render(self, context: Context) -> str:
        key = (get_language(), settings.ROOT_URLCONF)
        if key not in self.said:
            self.said[key] = "".join(str(part.render(context)) for part in self.parts)
        return self.said[key]

    render_annotated = render


class Value(base.VariableNode):
    def render(self, context: Context) -> str:
        try:
            value = self.filter_expression.resolve(context)
        except UnicodeDecodeError:
            return ""
        kind = type(value)
        if kind is SafeString:
            return value  # type: ignore[no-any-return]
        if kind is str and context.autoescape:
            return escape(value)
        # Numbers are written without separators in both languages.
        return str(value) if kind is int else base.render_value_in_context(value, context)

    render_annotated = render


class If(defaulttags.IfNode):
    def render_annotated(self, context: Context) -> str:
        return self.render(context)


class Tag(SimpleNode):
    def render_annotated(self, context: Context) -> str:
        return self.render(context)


class Include(loader_tags.IncludeNode):
    """A part is looked for once, by its name."""

    def render(self, context: Context) -> Any:
        name = self.template.resolve(context)
        if self.isolated_context or not isinstance(name, str):
            return super().render(context)
        # Of the node's own engine: its parts are compiled once a process, however they are named.
        found = self.__dict__.setdefault("found", {})
        part = found.get(name)
        if part is None:
            assert context.template is not None
            whole = loader_tags.construct_relative_path(str(self.origin.template_name), name)
            part = found[name] = context.template.engine.get_template(str(whole))
        context.dicts.append({name: var.resolve(context) for name, var in self.extra_context.items()})
        try:
            return part.nodelist.render(context) if part.is_plain else part.render(context)
        finally:
            context.dicts.pop()

    render_annotated = render


class Extends(loader_tags.ExtendsNode):
    """The blocks of the page that is extended are gathered once."""

    def render(self, context: Context) -> Any:
        parent: Any = self.get_parent(context)
        known = context.render_context
        if loader_tags.BLOCK_CONTEXT_KEY not in known:
            known[loader_tags.BLOCK_CONTEXT_KEY] = loader_tags.BlockContext()
        blocks = known[loader_tags.BLOCK_CONTEXT_KEY]
        blocks.add_blocks(self.blocks)
        if parent.root_blocks is not None:
            blocks.add_blocks(parent.root_blocks)
        with known.push_state(parent, isolated_context=False):
            return parent._render(context)


QUICKER: dict[type[Node], type[Node]] = {
    base.VariableNode: Value,
    defaulttags.IfNode: If,
    SimpleNode: Tag,
    loader_tags.IncludeNode: Include,
    loader_tags.ExtendsNode: Extends,
}
PLAIN = {
    *(TextNode, Fixed, Value, If, Tag, Include, Sentence, Blanks, Address),
    *(defaulttags.ForNode, defaulttags.WithNode, defaulttags.URLNode, defaulttags.CsrfTokenNode),
    *(base.VariableNode, defaulttags.CommentNode),
}


def _joined(nodes: Iterable[Node]) -> Iterator[Node]:
    """The same steps, those that stay the same put together."""
    run: list[Node] = []
    for node in nodes:
        if _stays(node):
            run.append(node)
            continue
        yield from _together(run)
        run = []
        yield node
    yield from _together(run)


def _together(run: list[Node]) -> list[Node]:
    return run if len(run) < 2 else [Fixed(run)]


def _stays(node: Node) -> bool:
    if isinstance(node, Tag):
        fixed = all(not (one.is_var or one.filters) for one in [*node.args, *node.kwargs.values()])
        return node.func in ALWAYS_THE_SAME and node.target_var is None and fixed
    return type(node) in (TextNode, Sentence) or (type(node) is Address and not node.asvar)


def _all_of(nodes: Iterable[Node]) -> Iterator[Node]:
    """Every step of a template, those inside others too, but not those of the parts it includes."""
    for node in nodes:
        yield node
        for name in node.child_nodelists:
            yield from _all_of(getattr(node, name, None) or ())
