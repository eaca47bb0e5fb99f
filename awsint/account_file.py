"""A list of accounts as a file: every line is looked at before anything is written.

The first line names the columns, in English or Chinese and in any order; a fault names its line and its field. The
customer is named by its code or its name. A file of Excel in China is GB18030, so that is read too.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from awsint.account_actions import Wanted, faults_of
from awsint.forms import NewAccountForm
from awsint.models import Partition, SupportModel
from helpdesk.accounts.models import Customer, User
from helpdesk.accounts.permissions import Right, may
from helpdesk.pictures import LogoUpload

MOST_LINES = 2000
NEEDED = ("number", "name", "customer")
COLUMNS = {
    "number": ("number", "account", "账户号"),
    "name": ("name", "名称"),
    "customer": ("customer", "客户"),
    "partition": ("partition", "分区"),
    "role_arn": ("role_arn", "角色"),
    "may_write": ("may_write", "可写"),
    "support_model": ("support_model", "支持模式"),
    "model_from": ("model_from", "开始"),
    "model_until": ("model_until", "结束"),
    "workload": ("workload", "工作负载"),
}
YES = ("1", "yes", "true", "x", "是")
EXAMPLE = (
    "number,name,customer,partition,may_write,support_model,workload\n"
    "111122223333,orders,ACME,aws,yes,resold,production;eu\n"
)


@dataclass(frozen=True)
class Fault:
    """What is wrong in a file: where, and in which words. Line 0 is the file itself."""

    line: int
    column: str
    words: str


@dataclass
class Looked:
    """What a file says, and what is wrong with it. Nothing is written where anything is."""

    wanted: list[Wanted] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class AccountsUpload(LogoUpload):
    """Lets the one field through that carries a list of accounts, at the one door that has it, up to its limit."""

    field, door = "file", "aws_account_import"

    def _is_wanted(self) -> bool:
        match, user = self.request.resolver_match, getattr(self.request, "user", None)  # type: ignore[union-attr]
        here = self.field_name == self.field and match and match.view_name == self.door
        return bool(here and user and user.is_authenticated and may(user, Right.AWS))


def decoded(content: bytes) -> str:
    """The text of a file, however it was saved."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("utf-8", errors="replace")


def look(text: str, by: User) -> Looked:
    """Reads every line. Two statements."""
    found = Looked()
    try:
        rows = list(csv.reader(io.StringIO(text.replace("\x00", ""))))
    except csv.Error:
        return Looked(faults=[Fault(0, "", _("This is no list with commas between the columns."))])
    names = [_column(cell) for cell in rows[0]] if rows else []
    if missing := [name for name in NEEDED if name not in names]:
        words = _("The first line has to name the columns; missing: %(names)s.") % {"names": ", ".join(missing)}
        return Looked(faults=[Fault(1, "", words)])
    lines = [(number, row) for number, row in enumerate(rows[1:], 2) if any(cell.strip() for cell in row)]
    if not lines or len(lines) > MOST_LINES:
        words = _("A file holds at least one account and at most %(most)s.") % {"most": MOST_LINES}
        return Looked(faults=[Fault(0, "", words)])
    customers = _customers()
    for number, row in lines:
        _read(found, number, dict(zip(names, (cell.strip() for cell in row), strict=False)), customers)
    for wanted, faults in zip(found.wanted, faults_of(found.wanted, by), strict=True):
        found.faults += [Fault(wanted.line, column, words) for column, words in faults]
    found.faults.sort(key=lambda fault: fault.line)
    return found


def _column(cell: str) -> str:
    asked = cell.strip().lower().lstrip("\ufeff")
    return next((name for name, words in COLUMNS.items() if asked in words), asked)


def _customers() -> dict[str, Customer]:
    """Active customers by code and by name; a code goes before a name."""
    known = list(Customer.objects.active())
    return {one.name.casefold(): one for one in known} | {one.code.casefold(): one for one in known}


def _read(found: Looked, line: int, said: Mapping[str, str], customers: Mapping[str, Customer]) -> None:
    customer = customers.get(said.get("customer", "").casefold())
    # Each line is the very form of one account; whose it is was looked up already.
    form = NewAccountForm(_form_data(said))
    del form.fields["customer"]
    faults = [] if customer else [Fault(line, "customer", _("There is no active customer of this code or name."))]
    faults += [Fault(line, column, str(words)) for column, errors in form.errors.items() for words in errors]
    found.faults += faults
    if customer and not faults:
        told = form.cleaned_data | {"workload": tuple(form.cleaned_data["workload"])}
        found.wanted.append(Wanted(customer=customer, line=line, **told))


def _form_data(said: Mapping[str, str]) -> dict[str, str]:
    data = {name: said[name] for name in COLUMNS if name not in ("customer", "may_write") and said.get(name)}
    data.setdefault("partition", Partition.AWS)
    data.setdefault("support_model", SupportModel.KEPT)
    return data | ({"may_write": "on"} if said.get("may_write", "").lower() in YES else {})


def ids_as_text(made: Iterable[tuple[str, str]]) -> str:
    """Account numbers with their ExternalIds, to be taken elsewhere."""
    return "".join(f"{number},{external_id}\n" for number, external_id in made)
