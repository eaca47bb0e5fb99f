"""A list of services that customers use, pasted: every line is looked at before anything is written.

The first line names the columns, in English or Chinese and in any order; a cell may hold several codes. What the page
of all customers gives as a file can be brought in again.
"""

import csv
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from awsint import usage
from awsint.account_file import Fault
from awsint.usage import Pair
from helpdesk.accounts.doors import Refused
from helpdesk.accounts.models import Customer

MOST_LINES = 2000
COLUMNS = {
    "customer": ("customer", "客户"),
    "service": ("service", "services", "服务"),
    "region": ("region", "regions", "区域"),
}
EXAMPLE = "customer,service,region\nACME,S3 EC2,us-east-1 eu-west-1\nGLOBEX,RDS,global\n"


@dataclass
class Looked:
    """Which rows whose, and what is wrong with the list. Nothing is written where anything is."""

    wanted: dict[Customer, list[Pair]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(len(pairs) for pairs in self.wanted.values())


def look(text: str, customers: Collection[Customer], seen: Collection[str]) -> Looked:
    """Reads every line; `customers` are those there are. Pure."""
    try:
        rows = list(csv.reader(io.StringIO(text.replace("\x00", ""))))
    except csv.Error:
        return Looked(faults=[Fault(0, "", _("This is no list with commas between the columns."))])
    names = [_column(cell) for cell in rows[0]] if rows else []
    if missing := [name for name in COLUMNS if name not in names]:
        words = _("The first line has to name the columns; missing: %(names)s.") % {"names": ", ".join(missing)}
        return Looked(faults=[Fault(1, "", words)])
    lines = [(number, row) for number, row in enumerate(rows[1:], 2) if any(cell.strip() for cell in row)]
    if not lines or len(lines) > MOST_LINES:
        words = _("A list holds at least one line and at most %(most)s.") % {"most": MOST_LINES}
        return Looked(faults=[Fault(0, "", words)])
    found, known = Looked(), _by_word(customers)
    for number, row in lines:
        _read(found, number, dict(zip(names, (cell.strip() for cell in row), strict=False)), known, seen)
    return found


def _column(cell: str) -> str:
    asked = cell.strip().lower().lstrip("\ufeff")
    return next((name for name, words in COLUMNS.items() if asked in words), "")


def _by_word(customers: Collection[Customer]) -> dict[str, Customer]:
    """By code and by name; a code goes before a name."""
    return {one.name.casefold(): one for one in customers} | {one.code.casefold(): one for one in customers}


def _read(
    found: Looked, line: int, said: Mapping[str, str], customers: Mapping[str, Customer], seen: Collection[str]
) -> None:
    customer = customers.get(said.get("customer", "").casefold())
    if customer is None:
        found.faults.append(Fault(line, "customer", _("There is no active customer of this code or name.")))
    try:
        services = usage.read_services(said.get("service", ""), seen, sure=False)
        pairs = [(service, region) for service in services for region in usage.read_regions(said.get("region", ""))]
    except Refused as refused:
        found.faults.append(Fault(line, refused.field.removesuffix("s"), str(refused)))
        return
    if customer:
        known = found.wanted.setdefault(customer, [])
        known += [pair for pair in pairs if pair not in known]
