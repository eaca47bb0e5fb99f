"""What of a reading is new, by what is stored: pure.

AWS gives words no number: (case, timeCreated verbatim, submittedBy, place among equals) is one (aws.md, 4.5). Words
that came back with another text were changed by AWS, which redacts secrets. Whoever was late may have an older time.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from awsint.shapes import CaseRead, Said
from helpdesk.text import showable

# What AWS shows late may be older than what it showed before by so much (aws.md, 4.6); both by AWS's clock.
OVERLAP = timedelta(hours=24)
LONGEST_NAME = 300


@dataclass(frozen=True)
class Known:
    """A stored communication, as far as it is compared."""

    id: int
    created_text: str
    submitted_by: str
    ordinal: int
    sha256: str

    @property
    def identity(self) -> tuple[str, str]:
        return self.created_text, self.submitted_by


@dataclass
class News:
    """Words that are not stored, oldest first, each with its place among equals; and stored ones with another text."""

    fresh: list[tuple[Said, int]] = field(default_factory=list)
    changed: list[tuple[int, Said]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.fresh or self.changed)


def news(said: Sequence[Said], known: Iterable[Known]) -> News:
    """What `said`, newest first, has beyond what is `known` of the same case."""
    stored: dict[tuple[str, str], list[Known]] = defaultdict(list)
    for one in sorted(known, key=lambda k: k.ordinal):
        stored[one.identity].append(one)
    groups: dict[tuple[str, str], list[Said]] = defaultdict(list)
    oldest_first = list(said)[::-1]
    for word in sorted(oldest_first, key=lambda s: s.created_at):
        groups[identity(word)].append(word)
    found = News()
    for key, words in groups.items():
        _compare(words, stored[key], found)
    return found


def _compare(words: list[Said], stored: list[Known], found: News) -> None:
    """Equals among each other: first those whose text is the same, then the others in their order."""
    left, strangers = list(stored), []
    for word in words:
        same = next((one for one in left if one.sha256 == digest(word)), None)
        left.remove(same) if same else strangers.append(word)
    for word, one in zip(strangers, left, strict=False):
        found.changed.append((one.id, word))
    place = max((one.ordinal for one in stored), default=-1)
    for word in strangers[len(left) :]:
        place += 1
        found.fresh.append((word, place))


def joins(read: CaseRead, known: Iterable[Known]) -> bool:
    """Whether the newest words of a case, as listed, join what is stored, or are all there are."""
    if not read.more:
        return True
    if not read.said:
        return False
    oldest = min(read.said, key=lambda s: s.created_at)
    return any(one.identity == identity(oldest) and one.sha256 == digest(oldest) for one in known)


def read_on(read: CaseRead, more: Iterable[Said], said_at: datetime | None) -> list[Said]:
    """The listed words with the older ones behind them, newest first, as far as a day before the newest stored.

    What comes twice because the pages moved while they were read counts once.
    """
    found = list(read.said)
    seen = {(identity(word), digest(word)) for word in found}
    for word in more:
        if said_at and word.created_at < said_at - OVERLAP:
            break
        if (mark := (identity(word), digest(word))) not in seen:
            seen.add(mark)
            found.append(word)
    return found


def identity(word: Said) -> tuple[str, str]:
    return word.created_text, author(word)


def author(word: Said) -> str:
    return showable(word.submitted_by)[:LONGEST_NAME]


def digest(word: Said) -> str:
    """The fingerprint of a text as it is stored."""
    return hashlib.sha256(showable(word.body).encode()).hexdigest()
