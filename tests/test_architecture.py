"""The house rules that a machine can see: one writer of status, clocks read at doors, no key that points up."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.template.loader import get_template

ROOT = Path(__file__).resolve().parent.parent
CODE = [
    p
    for d in ("awsint", "docs", "helpdesk", "oncall", "sla", "tickets")
    for p in (ROOT / d).rglob("*.py")
    if "migrations" not in p.parts
]
STOREYS = ["helpdesk", "jobs", "outbox", "audit", "accounts", "sla", "oncall", "tickets", "awsint", "docs"]
# The doors: where the clock is read and handed on as `at`.
DOORS = re.compile(
    r"(views|portal|api|inbound|tasks|console|pages|middleware|adapter|admin|supervisor|pulse|demo)\.py$"
    r"|management/commands/|helpdesk/bench/|accounts/(forms|hooks|session_store)\.py$|helpdesk/watchdog\.py$"
    # The simulator of AWS has a clock of its own.
    r"|awsint/sim/"
)


def parsed() -> Iterator[tuple[str, ast.AST]]:
    for path in CODE:
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def test_only_workflow_writes_a_tickets_status() -> None:
    writers = set()
    for name, tree in parsed():
        if not name.startswith(("tickets/", "helpdesk/bench")) or "bench" in name:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if any(isinstance(t, ast.Attribute) and t.attr == "status" for t in targets):
                    writers.add(name)
            writes = isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("update", "Ticket", "create")
            if writes and any(k.arg == "status" for k in node.keywords):
                writers.add(name)
    assert writers == {"tickets/workflow.py"}


def test_the_clock_is_read_at_doors_only() -> None:
    readers = set()
    for name, tree in parsed():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = ast.unparse(node.func.value)
                if (owner, node.func.attr) in {("timezone", "now"), ("datetime", "now"), ("datetime", "utcnow")}:
                    readers.add(name)
    assert readers, "somebody must read the clock"
    assert {name for name in readers if not DOORS.search(name)} == set()


def test_no_time_is_made_in_the_database() -> None:
    found = [
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_label in STOREYS
        for field in model._meta.fields
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False) or field.has_db_default()
    ]
    assert found == []


def test_no_key_points_up() -> None:
    upward = [
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_label in STOREYS
        for field in model._meta.fields
        if field.is_relation
        and field.related_model._meta.app_label in STOREYS
        and STOREYS.index(field.related_model._meta.app_label) > STOREYS.index(model._meta.app_label)
    ]
    assert upward == []


def actions_recorded() -> set[str]:
    """Every action name that the code writes into history."""
    names = set()
    for _name, tree in parsed():
        for node in ast.walk(tree):
            called = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Happening"
            if called and node.args and isinstance(node.args[0], ast.Constant):
                names.add(node.args[0].value)
    from tickets.workflow import TABLE

    return names | {verb.action for verb in TABLE.values()}


def test_every_action_has_a_line_of_history() -> None:
    names = actions_recorded()
    assert {"ticket.opened", "ticket.resolved", "ticket.assigned"} <= names
    shown_as_message = {"ticket.replied", "ticket.noted"}
    for name in sorted(names - shown_as_message):
        get_template(f"history/{name}.html")


def test_no_module_is_too_long_to_read() -> None:
    long = {str(p.relative_to(ROOT)): n for p in CODE if (n := len(p.read_text().splitlines())) > 450}
    assert long == {}


@pytest.mark.parametrize("word", ["utils.py", "helpers.py"])
def test_no_drawer_for_odds_and_ends(word: str) -> None:
    assert [p for p in CODE if p.name == word] == []
