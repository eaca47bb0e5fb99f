"""Looking through a text with what the desk knows: whose name, address or account has no business in it."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _l

from awsint import flags
from awsint.flags import Flag, Known
from awsint.models import Account
from helpdesk.accounts.models import Customer, Membership

WORDS = {
    flags.ACCESS_KEY: _l("an access key"),
    flags.SECRET_KEY: _l("a secret key"),
    flags.PRIVATE_KEY: _l("a private key"),
    flags.TOKEN: _l("a token"),
    flags.PASSWORD: _l("a password"),
    flags.CARD: _l("a card number"),
    flags.MAINLAND_ID: _l("a mainland ID number"),
    flags.OTHER_CUSTOMER: _l("the name of another customer"),
    flags.OTHER_MAIL: _l("a mail address from elsewhere"),
    flags.OTHER_ACCOUNT: _l("an account that is not this customer's"),
    flags.OTHER_PARTITION: _l("something of another partition of AWS"),
}
AWS_DOMAINS = ("amazon.com", "amazonaws.com", "amazonaws.cn", "amazonaws.com.cn", "aws.amazon.com")


@dataclass(frozen=True)
class Found:
    """A flag as a form shows it: what it is, around which words, and the value that ticks it."""

    flag: Flag
    words: Any
    before: str
    after: str

    @property
    def value(self) -> str:
        return f"{self.flag.kind}:{self.flag.start}:{self.flag.end}"

    @property
    def is_secret(self) -> bool:
        return self.flag.kind in flags.SECRETS


def look(text: str, account: Account) -> list[Found]:
    """What whoever sends this text to AWS from this account should have seen. Three statements."""
    return [
        Found(one, WORDS[one.kind], text[max(0, one.start - 24) : one.start], text[one.end : one.end + 24])
        for one in flags.flags_in(text, known_for(account))
    ]


def known_for(account: Account) -> Known:
    """What the desk knows of whom a text of this account's customer is not about."""
    others = Customer.objects.exclude(pk=account.customer_id).values_list("name", "code")
    theirs = Membership.objects.filter(customer=account.customer_id).values_list("user__email", flat=True)
    numbers = list(Account.objects.values_list("number", "customer"))
    domains = {address.rpartition("@")[2].lower() for address in theirs}
    return Known(
        names=[word for pair in others for word in pair if word],
        domains=frozenset(domains | {settings.MAIL_DOMAIN.lower(), *AWS_DOMAINS}),
        accounts=frozenset(number for number, customer in numbers if customer == account.customer_id),
        partition=account.partition,
        foreign_accounts=frozenset(number for number, customer in numbers if customer != account.customer_id),
    )
