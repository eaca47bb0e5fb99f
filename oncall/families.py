"""The twelve families of AWS services that skills and tickets are named by (families.json)."""

import json
from dataclasses import dataclass
from pathlib import Path

from django.utils.functional import lazystr
from django.utils.translation import get_language


@dataclass(frozen=True)
class Family:
    """A family: its code, what it is called in both languages, and services that people know it by."""

    code: str
    zh: str
    en: str
    examples: tuple[str, ...]

    @property
    def label(self) -> str:
        """Its name in the reader's language."""
        return self.zh if (get_language() or "").startswith("zh") else self.en

    def __str__(self) -> str:
        return self.label

    @property
    def known_by(self) -> str:
        return ", ".join(self.examples)


def _read() -> dict[str, Family]:
    rows = json.loads((Path(__file__).parent / "families.json").read_text(encoding="utf-8"))
    return {row["code"]: Family(row["code"], row["zh"], row["en"], tuple(row["examples"])) for row in rows}


FAMILIES = _read()
# For forms: labels are made when they are shown.
CHOICES = [(code, lazystr(family)) for code, family in FAMILIES.items()]
