"""The people of a desk to look at: half of them Chinese, half from elsewhere, at companies that do not exist.

Every address is under .example. Passwords are made at the first seeding and kept beside the data, nowhere else.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from helpdesk.accounts import actions
from helpdesk.accounts.models import Customer, StaffRole, User
from helpdesk.actions import change_site
from helpdesk.audit.record import SYSTEM
from helpdesk.models import SiteSettings

SHANGHAI, BERLIN, NEW_YORK, SINGAPORE = "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Singapore"


@dataclass(frozen=True)
class Company:
    name: str
    code: str
    chinese: bool
    zone: str = SHANGHAI


@dataclass(frozen=True)
class Person:
    """`role` is how run.json names the login; `belongs` are pairs of company code and role there."""

    role: str
    name: str
    email: str
    chinese: bool
    zone: str = SHANGHAI
    belongs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Login:
    role: str
    email: str
    password: str


COMPANIES = [
    Company("Acme Robotics", "ACME", False, SINGAPORE),
    Company("Globex", "GLOBEX", False, NEW_YORK),
    Company("Nordlicht Automation", "NORDLICHT", False, BERLIN),
    Company("远帆物流", "YUANFAN", True),
    Company("海拓新能源", "HAITUO", True),
    Company("青禾医疗", "QINGHE", True),
    Company("Meridian Foods", "MERIDIAN", False, NEW_YORK),
    Company("Tidewater Energy", "TIDEWATER", False, SINGAPORE),
    Company("Alpenblick Hotels", "ALPENBLICK", False, BERLIN),
    Company("星河教育", "XINGHE", True),
    Company("澄江零售", "CHENGJIANG", True),
    Company("北岭钢构", "BEILING", True),
]
# Numbers and addresses that reach nobody.
HOUSE: dict[str, Any] = {
    "support_mailbox": "support@desk.example",
    "hotline": "+86 21 5550 0100",
    "address_zh": "上海市浦东新区云岭路 100 号",
    "address_en": "100 Yunling Road, Pudong, Shanghai",
    "director_mail": "director@desk.example",
}
PEOPLE = [
    Person("customer", "Cora Chen", "cora@acme.example", True, belongs=(("ACME", "member"),)),
    Person("engineer", "Ana Costa", "ana@desk.example", False),
    Person("engineer", "李敏", "limin@desk.example", True),
    Person("lead", "Lee Novak", "lee@desk.example", False),
    Person("admin", "Ada Byrne", "ada@desk.example", False),
    Person("admin", "周琳", "zhoulin@desk.example", True),
    Person("auditor", "Audrey Hall", "audrey@desk.example", False, BERLIN),
    Person("customer", "Carla Reyes", "carla@acme.example", False, SINGAPORE, (("ACME", "admin"),)),
    Person("customer", "Cody Tan", "cody@acme.example", False, SINGAPORE, (("ACME", "member"),)),
    Person("outsider", "Gus Miller", "gus@globex.example", False, NEW_YORK, (("GLOBEX", "member"),)),
    Person("customer", "Dora Klein", "dora@acme.example", False, BERLIN, (("ACME", "admin"), ("GLOBEX", "member"))),
    Person("customer", "Jonas Berg", "jonas@nordlicht.example", False, BERLIN, (("NORDLICHT", "member"),)),
    Person("customer", "周敏", "zhou.min@yuanfan.example", True, belongs=(("YUANFAN", "member"),)),
    Person("customer", "王磊", "wang.lei@yuanfan.example", True, belongs=(("YUANFAN", "admin"),)),
    Person("customer", "陈浩", "chen.hao@haituo.example", True, belongs=(("HAITUO", "member"),)),
    Person("customer", "林静", "lin.jing@qinghe.example", True, belongs=(("QINGHE", "member"),)),
    Person("engineer", "Tomás Vidal", "tomas@desk.example", False, BERLIN),
    Person("engineer", "Priya Nair", "priya@desk.example", False, SINGAPORE),
    Person("engineer", "赵晨", "zhaochen@desk.example", True),
    Person("engineer", "韩雪", "hanxue@desk.example", True),
    Person("customer", "Grace Holt", "grace@meridian.example", False, NEW_YORK, (("MERIDIAN", "admin"),)),
    Person("customer", "Owen Price", "owen@meridian.example", False, NEW_YORK, (("MERIDIAN", "member"),)),
    Person("customer", "Farah Aziz", "farah@tidewater.example", False, SINGAPORE, (("TIDEWATER", "member"),)),
    Person("customer", "Lukas Frei", "lukas@alpenblick.example", False, BERLIN, (("ALPENBLICK", "member"),)),
    Person("customer", "孙悦", "sun.yue@xinghe.example", True, belongs=(("XINGHE", "member"),)),
    Person("customer", "何伟", "he.wei@chengjiang.example", True, belongs=(("CHENGJIANG", "admin"),)),
    Person("customer", "谢婷", "xie.ting@chengjiang.example", True, belongs=(("CHENGJIANG", "member"),)),
    Person("customer", "郭峰", "guo.feng@beiling.example", True, belongs=(("BEILING", "member"),)),
]


def strangers() -> bool:
    """Whether there is anybody the demo did not make."""
    return User.objects.exclude(email__in=[p.email for p in PEOPLE]).exists()


def complete() -> bool:
    """Whether everybody of the demo is there."""
    return User.objects.filter(email__in=[p.email for p in PEOPLE]).count() == len(PEOPLE)


def seed(*, at: datetime) -> list[Login]:
    """Makes whoever is missing and gives everybody a new password; returns the logins. Twice makes nobody twice."""
    known = {user.email: user for user in User.objects.filter(email__in=[p.email for p in PEOPLE])}
    staff = [p for p in PEOPLE if not p.belongs]
    logins = {p.email: Login(p.role, p.email, secrets.token_urlsafe(12)) for p in PEOPLE}
    for person in staff:
        known[person.email] = _person(person, known, {}, logins[person.email], at)
    admin = next(p for p in PEOPLE if p.role == StaffRole.ADMIN)
    if not SiteSettings.objects.exists():
        change_site(**HOUSE, by=known[admin.email], at=at)
    companies = {c.code: _company(c, known[admin.email], at) for c in COMPANIES}
    for person in PEOPLE:
        if person.belongs:
            _person(person, known, companies, logins[person.email], at)
    return list(logins.values())


def _company(company: Company, by: User, at: datetime) -> Customer:
    known = Customer.objects.filter(code=company.code).first()
    # A fee and a contract each, so that broken promises are worth something.
    place = COMPANIES.index(company)
    contract: dict[str, Any] = {
        "support_fee": 12_000 + 4_000 * (place % 5),
        "currency": "CNY" if company.chinese else "USD",
    }
    contract["support_fee"] = 12_000 + 4_000 * (place % 5)
    contract["contract_number"] = f"SUP-2026-{place + 1:03}"
    given = {"name": company.name, "code": company.code, "language": _code(company.chinese), "zone": company.zone}
    return known or actions.create_customer(**given, **contract, by=by, at=at)


def _person(person: Person, known: dict[str, User], companies: dict[str, Customer], login: Login, at: datetime) -> User:
    if user := known.get(person.email):
        actions.set_password(person=user, password=login.password, at=at)
        return user
    return actions.create_person(
        email=person.email,
        name=person.name,
        language=_code(person.chinese),
        zone=person.zone,
        staff_role=None if person.belongs else person.role,
        belongs=[(companies[code], role) for code, role in person.belongs],
        password=login.password,
        by=SYSTEM,
        at=at,
    )


def _code(chinese: bool) -> str:
    return "zh-hans" if chinese else "en"
