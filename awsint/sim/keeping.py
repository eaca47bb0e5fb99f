"""The world on disk, so that a demo's AWS remembers its cases over a restart as AWS does."""

import base64
import hashlib
import itertools
import json
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from awsint.sim.world import Account, Case, File, Word, World


def mark(world: World) -> str:
    """Another text whenever there is something to write down."""
    with world.lock:
        cases = [case for cases in world.cases.values() for case in cases.values()]
        told = [(case.number, case.status, len(case.words)) for case in cases]
        rest = [len(world.files), *sorted(world.organizations), *sorted(map(repr, world.accounts.values()))]
    return hashlib.sha256(repr((told, rest)).encode()).hexdigest()


def save(world: World, path: Path) -> None:
    """Writes accounts, cases and files; whole or not at all."""
    with world.lock:
        number = next(world.numbers)
        world.numbers = itertools.count(number)
        told = {
            "number": number,
            "accounts": [asdict(one) for one in world.accounts.values()],
            "cases": [asdict(one) for cases in world.cases.values() for one in cases.values()],
            "files": [asdict(one) for one in world.files.values()],
        }
    fresh = path.with_name(f"{path.name}.fresh")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(told, default=_plain, ensure_ascii=False))
    fresh.replace(path)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else base64.b64encode(value).decode()


def load(world: World, path: Path) -> bool:
    """Reads what `save` wrote; False where there is nothing, or nothing that can be read."""
    try:
        told = json.loads(path.read_text())
        cases = [_case(one) for one in told["cases"]]
        files = [File(**(one | {"data": base64.b64decode(one["data"])})) for one in told["files"]]
        accounts = [Account(**one) for one in told["accounts"]]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    with world.lock:
        world.numbers = itertools.count(told["number"])
        world.accounts = {one.number: one for one in accounts}
        world.files = {one.number: one for one in files}
        for case in cases:
            world.cases[case.account][case.number] = case
    return True


def _case(told: dict[str, Any]) -> Case:
    words = [Word(**(one | {"at": datetime.fromisoformat(one["at"])})) for one in told["words"]]
    known = {field.name for field in fields(Case)}
    given = {name: value for name, value in told.items() if name in known}
    return Case(**(given | {"at": datetime.fromisoformat(told["at"]), "words": words}))
