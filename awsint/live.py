"""What AWS has of a case now, beside what we have: read live, matched as readings match (comparing.py).

The difference is a number: words that one side has and the other has not, words whose text is another, and columns of
the case that differ. It is 0 where nothing was missed.
"""

from dataclasses import dataclass, field
from datetime import datetime

from awsint import calls, client, importing
from awsint.client import Turn
from awsint.comparing import Known, digest, identity, news
from awsint.models import Communication, SupportCase
from awsint.shapes import AwsError, Calls, CaseRead, Said


@dataclass(frozen=True)
class Pair:
    """One thing said: as AWS has it, and as we do; None on the side that has it not."""

    aws: Said | None
    ours: Communication | None

    @property
    def _one(self) -> Said | Communication:
        return self.aws or self.ours  # type: ignore[return-value]

    @property
    def at(self) -> datetime:
        return self._one.created_at

    @property
    def who(self) -> str:
        return self._one.submitted_by

    @property
    def aws_mark(self) -> str:
        """A text by its fingerprint, for whoever may not read it."""
        return digest(self.aws)[:16] if self.aws else ""

    @property
    def ours_mark(self) -> str:
        return self.ours.sha256[:16] if self.ours else ""

    @property
    def same(self) -> bool:
        return self.aws is not None and self.ours is not None and digest(self.aws) == self.ours.sha256


@dataclass(frozen=True)
class Compared:
    """`trouble` is AWS's code where it does not answer; `known` is false where it does not know the case."""

    pairs: list[Pair] = field(default_factory=list)
    columns: list[tuple[str, str, str]] = field(default_factory=list)
    trouble: str = ""
    known: bool = True

    @property
    def difference(self) -> int:
        return sum(not pair.same for pair in self.pairs) + len(self.columns)


def compare(case: SupportCase, at: datetime) -> Compared:
    """Two calls to AWS and one statement of ours, after AWS has answered."""
    made = Calls()
    try:
        api = client.support(case.account.place, made, at=at, turn=Turn.PERSON)
        found = api.cases([case.case_id])
        said = list(api.said(case.case_id)) if found else []
    except AwsError as error:
        return Compared(trouble=error.code)
    finally:
        calls.store(made)
    ours = list(Communication.objects.filter(case=case).order_by("created_at", "ordinal", "pk"))
    if not found:
        return Compared([Pair(None, one) for one in ours], known=False)
    return Compared(_pairs(said, ours), _columns(found[0], case))


def _columns(read: CaseRead, case: SupportCase) -> list[tuple[str, str, str]]:
    told = importing.told_of(read)
    return [
        (name, str(value), str(getattr(case, name)))
        for name, value in told.items()
        if name != "cc" and value != getattr(case, name)
    ]


def _pairs(said: list[Said], ours: list[Communication]) -> list[Pair]:
    known = [Known(one.pk, one.created_text, one.submitted_by, one.ordinal, one.sha256) for one in ours]
    found = news(said, known)
    rows, changed = {one.pk: one for one in ours}, dict(found.changed)
    pairs = [Pair(word, None) for word, _place in found.fresh]
    pairs += [Pair(word, rows.pop(pk)) for pk, word in changed.items()]
    left = {id(word) for pair in pairs if (word := pair.aws)}
    same = [word for word in said if id(word) not in left]
    for one in rows.values():
        match = next((word for word in same if _is(word, one)), None)
        if match:
            same.remove(match)
        pairs.append(Pair(match, one))
    return sorted(pairs, key=lambda pair: pair.at)


def _is(word: Said, one: Communication) -> bool:
    return identity(word) == (one.created_text, one.submitted_by) and digest(word) == one.sha256
