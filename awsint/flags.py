"""What in a text should not leave for AWS unread: secrets, numbers of cards and people, what belongs to others. Pure.

AWS's engineers and everybody in the customer's account who may read its cases read what we write there. A flag stops
nothing by itself: whoever sends sees where it is and says that they mean it. Secrets are found by their shape, card
numbers and mainland ID numbers by their check digits, other customers by the words the desk knows them by.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

# Kinds, as codes; forms say them in the reader's language.
ACCESS_KEY, SECRET_KEY, PRIVATE_KEY, TOKEN = "access_key", "secret_key", "private_key", "token"
PASSWORD, CARD, MAINLAND_ID, OTHER_CUSTOMER = "password", "card", "mainland_id", "other_customer"
OTHER_MAIL, OTHER_ACCOUNT, OTHER_PARTITION = "other_mail", "other_account", "other_partition"
# These are secrets: nobody sends one on purpose.
SECRETS = (ACCESS_KEY, SECRET_KEY, PRIVATE_KEY, TOKEN, PASSWORD)


@dataclass(frozen=True)
class Flag:
    """Something found at [start, end) of the text. `shown` is enough of it to find it again, never a whole secret."""

    kind: str
    start: int
    end: int
    shown: str


@dataclass(frozen=True)
class Known:
    """What the desk knows of whom the text is not about.

    `names` are names and short names of other customers, `domains` the mail domains of the reader's own side and AWS,
    `accounts` the account numbers that belong to the ticket's customer, `partition` the case's.
    """

    names: Iterable[str] = ()
    domains: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    partition: str = "aws"
    foreign_accounts: frozenset[str] = field(default_factory=frozenset)


LONG_TERM = r"(?:AKIA|ASIA|AIDA|AROA|ABIA|ACCA)[A-Z2-7]{16}"
NAMED_SECRET = (
    r"(?i:(?:aws_?)?secret[ _-]?access[ _-]?key|secretkey|secret[ _-]?key|AK/?SK|SK|密钥|秘钥)"  # noqa: S105
    r"\s*(?:[\"']?\s*[:=：是]\s*|\s+is\s+)[\"']?(?P<it>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
)
BESIDE = re.compile(r"\s*[,:/|;\t\n ]\s*(?P<it>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])")
PASSWORD_IN_URL = r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s:/@]{1,64}:(?P<it>[^\s:/@]{1,128})@[^\s/]+"  # noqa: S105
NAMED_PASSWORD = (
    r"(?i:\b(?:password|passwd|passphrase|pwd|db_pass|pgpassword|mysql_pwd|passcode)\b|密码|口令)"  # noqa: S105
    r"[\"']?\s*(?:[:=：]|是|为|\s+is\s+)\s*[\"']?(?P<it>[^\s\"'，。,;；<>{}]{4,128})"
)
TOKENS = (
    r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",  # JSON web tokens
    r"\bgh[pousr]_[A-Za-z0-9]{36,}\b",
    r"\bgithub_pat_[A-Za-z0-9_]{40,}\b",
    r"\bglpat-[A-Za-z0-9_-]{20,}\b",
    r"\bxox[abprs]-[A-Za-z0-9-]{10,}\b",
    r"\bsk_live_[A-Za-z0-9]{16,}\b",
    r"\bLTAI[A-Za-z0-9]{12,26}\b",
    r"\bAIza[A-Za-z0-9_-]{35}\b",
    r"(?i:\bbearer\s+)(?P<it>[A-Za-z0-9._~+/-]{20,}=*)",
    r"(?i:x-amz-security-token|aws_session_token|session_?token)[\"']?\s*[:=]\s*[\"']?(?P<it>[A-Za-z0-9/+=%]{40,})",
    r"(?i:x-amz-signature=)(?P<it>[0-9a-f]{64})",
    r"(?i:\b(?:api[_-]?key|(?:access|auth)[_-]?token|client[_-]?secret)\b|令牌)"
    r"[\"']?\s*[:=：]\s*[\"']?(?P<it>[A-Za-z0-9._~+/-]{16,})",
)
KEY_BLOCK = r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
DIGITS = r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-]|\.\d)"
ID_NUMBER = (
    r"(?<![0-9A-Za-z])[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9Xx](?![0-9A-Za-z])"
)
MAIL = r"[A-Za-z0-9._%+-]{1,64}@(?P<domain>[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.)+[A-Za-z]{2,24})"
ACCOUNT = r"(?<![\w./-])(?:\d{12}|\d{4}-\d{4}-\d{4})(?![\w-]|\.\d)|(?<=:)\d{12}(?=:)"
ARN = r"\barn:(?P<partition>aws|aws-cn|aws-us-gov):"
# What stands where a secret would, and is none.
PLACEHOLDER = re.compile(
    r"(?i)^(?:\*+|x{3,}|\.{3,}|…|<.*>|\$\{?.*|%.*%|\{.*\}|\[.*\]|redacted|removed|hidden|changeme|example|none|null|true|"
    r"false|required|optional|incorrect|wrong|expired|reset|correct|policy|protected|authentication|rotation|empty|"
    r"错误|正确|过期|已\S*|不\S*|未\S*|需要\S*|没有\S*|无\S*)$"
)


def flags_in(text: str, known: Known | None = None) -> list[Flag]:
    """Everything in the text that whoever sends it should have looked at, in its order; each place once."""
    known = known or Known()
    found: list[Flag] = []
    for look in (_keys, _secrets, _passwords, _tokens, _cards, _ids, _mails, _others, _accounts, _partitions):
        for flag in look(text, known):
            if not any(flag.start < other.end and other.start < flag.end for other in found):
                found.append(flag)
    return sorted(found, key=lambda flag: flag.start)


def _matches(
    pattern: str, text: str, kind: str, good: Callable[[str], bool] = lambda _it: True, whole: bool = False
) -> Iterator[Flag]:
    for match in re.finditer(pattern, text):
        group: int | str = "it" if "it" in match.groupdict() and match["it"] else 0
        it = match[group]
        if good(it):
            start, end = match.span(group)
            yield Flag(kind, start, end, it if whole else _covered(it))


def _covered(it: str) -> str:
    """Its first four characters: enough to find it in the text."""
    return f"{it[:4]}…" if len(it) > 6 else "…"


def _keys(text: str, _known: Known) -> Iterator[Flag]:
    yield from _matches(KEY_BLOCK, text, PRIVATE_KEY, whole=True)
    # AWS's own examples end so.
    yield from _matches(
        rf"(?<![A-Z0-9]){LONG_TERM}(?![A-Z0-9])", text, ACCESS_KEY, lambda it: not it.endswith("EXAMPLE")
    )


def _secrets(text: str, _known: Known) -> Iterator[Flag]:
    yield from _matches(NAMED_SECRET, text, SECRET_KEY, lambda it: "EXAMPLE" not in it)
    # Beside an access key a bare secret key needs no name.
    for key in re.finditer(LONG_TERM, text):
        after = BESIDE.match(text, key.end())
        if after and re.search(r"[a-z]", after["it"]) and re.search(r"[A-Z]", after["it"]):
            yield Flag(SECRET_KEY, *after.span("it"), _covered(after["it"]))


def _passwords(text: str, _known: Known) -> Iterator[Flag]:
    for pattern in (PASSWORD_IN_URL, NAMED_PASSWORD):
        yield from _matches(pattern, text, PASSWORD, lambda it: not PLACEHOLDER.match(it))


def _tokens(text: str, _known: Known) -> Iterator[Flag]:
    for pattern in TOKENS:
        yield from _matches(pattern, text, TOKEN, lambda it: not PLACEHOLDER.match(it))


def _cards(text: str, _known: Known) -> Iterator[Flag]:
    yield from _matches(DIGITS, text, CARD, _is_card)


def _is_card(it: str) -> bool:
    """By the length and beginning that card schemes use, and the check digit (ISO/IEC 7812)."""
    digits = re.sub(r"\D", "", it)
    begins = re.match(r"4|5[1-5]|2[2-7]|3[47]|6(?:2|011|5)", digits)
    if not begins or len(digits) not in (13, 15, 16, 17, 18, 19) or len(set(digits)) < 4:
        return False
    doubled = [int(d) * (2 if n % 2 else 1) for n, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _ids(text: str, _known: Known) -> Iterator[Flag]:
    yield from _matches(ID_NUMBER, text, MAINLAND_ID, _is_id)


WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def _is_id(it: str) -> bool:
    """By the check digit of GB 11643."""
    total = sum(int(d) * w for d, w in zip(it[:17], WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == it[17].upper()


def _others(text: str, known: Known) -> Iterator[Flag]:
    for name in known.names:
        # One or two letters are no name of anybody; a short name in Latin stands alone, or it is part of a word.
        if len(name) < 2 or (name.isascii() and len(name) < 3):
            continue
        edge = r"(?<![A-Za-z0-9_]){}(?![A-Za-z0-9_])" if name.isascii() else "{}"
        yield from _matches(f"(?i:{edge.format(re.escape(name))})", text, OTHER_CUSTOMER, whole=True)


def _mails(text: str, known: Known) -> Iterator[Flag]:
    for match in re.finditer(MAIL, text):
        domain = match["domain"].lower()
        if not any(domain == ours or domain.endswith(f".{ours}") for ours in known.domains):
            yield Flag(OTHER_MAIL, *match.span(), match[0])


def _accounts(text: str, known: Known) -> Iterator[Flag]:
    for match in re.finditer(ACCOUNT, text):
        number = match[0].replace("-", "")
        if number in known.foreign_accounts or (number not in known.accounts and _is_account(text, match)):
            yield Flag(OTHER_ACCOUNT, *match.span(), match[0])


def _is_account(text: str, match: "re.Match[str]") -> bool:
    """Whether twelve digits that nobody knows are meant as an account: in an ARN, or beside the word."""
    before, after = text[max(0, match.start() - 24) : match.start()], text[match.end() : match.end() + 12]
    near = re.search(r"(?i)account|acct|账户|账号|帐号|帐户|arn:", before) or re.match(
        r"(?i)\s*(?:account|账户|账号)", after
    )
    return bool(near) or (before.endswith(":") and after.startswith(":"))


def _partitions(text: str, known: Known) -> Iterator[Flag]:
    for match in re.finditer(ARN, text):
        if match["partition"] != known.partition:
            yield Flag(OTHER_PARTITION, *match.span(), match[0])
