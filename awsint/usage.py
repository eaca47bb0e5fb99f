"""Which services a customer uses in which regions: what AWS says publicly of those reaches them (aws.md, 2.4).

The codes are those of AWS Health (usage_codes.json) and whatever AWS has told events of here. A code that is neither is
refused, because a typing error would mean that nobody hears; who knows better says so. Pure, but for the codes that
were seen.
"""

import json
import re
from collections.abc import Collection
from functools import cache
from pathlib import Path

from django.utils.translation import gettext as _

from awsint.health_deciding import EVERYWHERE
from helpdesk.accounts.doors import Refused

SERVICE = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,59}")
REGION = re.compile(
    r"[a-z]{2}(-gov|-iso[a-z]?)?-(north|south|east|west|central|north(east|west)|south(east|west))-[1-9]"
)
WORDS = re.compile(r"[\s,，;；、]+")
# So many of each in one form; what they are together, the action limits.
MOST = 100
SHOWN = 5

Pair = tuple[str, str]


@cache
def known() -> dict[str, str]:
    """AWS Health's code of each service, with what it is called."""
    return dict(_codes()["services"])


@cache
def regions() -> list[str]:
    return [*_codes()["regions"], EVERYWHERE]


@cache
def _codes() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "usage_codes.json").read_text("utf-8"))
    return found


def read_services(text: str, seen: Collection[str], *, sure: bool) -> list[str]:
    """The codes in what somebody typed, each once. Raises Refused with the words that are none; `sure` takes such as
    AWS might use though we never met them."""
    words = _words(text.upper())
    if not words:
        raise Refused("services", _("Name at least one service by its code: S3, EC2."))
    strange = [word for word in words if not SERVICE.fullmatch(word)]
    if not sure:
        strange += [word for word in words if word not in strange and word not in known() and word not in seen]
    if strange:
        raise Refused("services", _("No service of AWS Health has this code: %(words)s.") % {"words": _listed(strange)})
    return words


def read_regions(text: str) -> list[str]:
    """The same of regions; `global` is all of them and what is in none."""
    words = _words(text.lower())
    if not words:
        raise Refused("regions", _("Name at least one region, as us-east-1, or global."))
    strange = [word for word in words if word != EVERYWHERE and not REGION.fullmatch(word)]
    if strange:
        raise Refused("regions", _("This is no region of AWS: %(words)s.") % {"words": _listed(strange)})
    return words


def _words(text: str) -> list[str]:
    return [word for word in dict.fromkeys(WORDS.split(text.replace("\x00", ""))) if word][:MOST]


def _listed(words: list[str]) -> str:
    return ", ".join(word[:60] for word in words[:SHOWN]) + (" …" if len(words) > SHOWN else "")


def matches(pair: Pair, service: str, region: str) -> bool:
    """Whether an event of a service in a region is for somebody with this row; as `health_deciding.registered` asks."""
    return pair[0] == service.upper() and (EVERYWHERE in (pair[1], region) or pair[1] == region)
