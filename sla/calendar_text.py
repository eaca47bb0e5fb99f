"""Working hours and holidays as people write them: what is typed, what is pasted, and the same rules as text again.

A week is a line of windows a day, "09:00-12:00, 13:00-18:00". Exceptions are lines, closed unless they say otherwise:

    2027-01-01                               a closed day
    2027-02-05..02-11 春节                    closed days, with a name
    2027-02-14 workday 09:00-12:00           worked instead, with hours of its own (without: those of its weekday)
    春节：2月5日至11日放假，2月14日（星期日）上班    as official notices say it

What cannot be read is named by its line; nothing is guessed.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _

MOST_DAYS = 60
MOST_LINES = 1000
LONGEST_LINE = 2000
FIRST_YEAR, LAST_YEAR = 2000, 2100
Pairs = list[list[str]]


@dataclass(frozen=True)
class Day:
    """An exception: closed, or `worked`, then with `windows` of its own or, where None, those of its weekday.

    `where` is the line or event that says it.
    """

    date: date
    worked: bool = False
    windows: tuple[tuple[str, str], ...] | None = None
    name: str = ""
    where: str = ""

    @property
    def says(self) -> tuple[bool, tuple[tuple[str, str], ...] | None]:
        """What it is, however it is called and wherever it was read."""
        return self.worked, self.windows


@dataclass(frozen=True)
class Fault:
    """What is wrong, where. `where` is "line 3" or "event 2", in the reader's language; empty for the whole."""

    where: str
    text: str

    def __str__(self) -> str:
        return _("%(where)s: %(what)s") % {"where": self.where, "what": self.text} if self.where else self.text


@dataclass(frozen=True)
class Read:
    """What was read: the days in order, what is wrong, and what somebody should look at before they accept it."""

    days: tuple[Day, ...] = ()
    faults: tuple[Fault, ...] = ()
    notes: tuple[Fault, ...] = ()


class Unreadable(ValueError):
    """A word that is no time, no window, no date; the text says which, in the reader's language."""


# --- Windows ---------------------------------------------------------------------------------------------------------

WINDOW = re.compile(r"(\d{1,2})[:：](\d{2})\s*(?:-|–|—|~|～|至|to)\s*(\d{1,2})[:：](\d{2})")
BETWEEN = re.compile(r"[\s,，、;；]*")


def windows_of(text: str) -> Pairs:
    """[["09:00", "12:00"], ...] of "09:00-12:00, 13:00-18:00"; an empty text has none. Raises Unreadable."""
    found, place, text = [], 0, text.strip()
    while place < len(text):
        hit = WINDOW.match(text, place)
        if hit is None:
            raise Unreadable(_("“%(text)s” is not a window such as 09:00-12:00.") % {"text": text[place : place + 30]})
        found.append([_clock(hit[1], hit[2]), _clock(hit[3], hit[4])])
        gap = BETWEEN.match(text, hit.end())
        place = gap.end() if gap else hit.end()
    return checked(found)


def _clock(hour: str, minute: str) -> str:
    if int(minute) > 59 or 60 * int(hour) + int(minute) > 1440:
        raise Unreadable(_("%(time)s is no time from 00:00 to 24:00.") % {"time": f"{hour}:{minute}"})
    return f"{int(hour):02}:{minute}"


def checked(pairs: Iterable[Sequence[str]]) -> Pairs:
    """The windows in order. Raises Unreadable where one ends before it starts, or two overlap."""
    known = sorted([str(start), str(end)] for start, end in pairs)
    for start, end in known:
        if end <= start:
            text = _(
                "The window %(start)s-%(end)s ends before it starts. Past midnight it is two: until 24:00, from 00:00."
            )
            raise Unreadable(text % {"start": start, "end": end})
    for (start, end), (later, last) in itertools.pairwise(known):
        if later < end:
            one, other = f"{start}-{end}", f"{later}-{last}"
            raise Unreadable(_("The windows %(one)s and %(other)s overlap.") % {"one": one, "other": other})
    return known


def windows_text(pairs: Iterable[Sequence[str]]) -> str:
    return ", ".join(f"{start}-{end}" for start, end in pairs)


# --- Exceptions ------------------------------------------------------------------------------------------------------

TO = r"\s*(?:\.\.+|…|~|～|至|到|—+|–|\bto\b|-)\s*"
CHINESE = re.compile(
    r"(?:(?P<y>\d{4})年)?\s*(?P<m>\d{1,2})月(?P<d>\d{1,2})[日号]?"
    rf"(?:{TO}(?:(?P<y2>\d{{4}})年)?\s*(?:(?P<m2>\d{{1,2}})月)?(?P<d2>\d{{1,2}})[日号])?"
)
ISO = re.compile(
    r"(?<!\d)(?P<y>\d{4})[-/](?P<m>\d{1,2})[-/](?P<d>\d{1,2})(?!\d)"
    rf"(?:{TO}(?:(?:(?P<y2>\d{{4}})[-/])?(?P<m2>\d{{1,2}})[-/])?(?P<d2>\d{{1,2}})(?![\d:：]))?"
)
DATED = re.compile(r"(?:(?P<y>\d{4})[-/年])?(?P<m>\d{1,2})[-/月](?P<d>\d{1,2})[日号]?")
ASIDE = re.compile(r"[（(]([^）)]*)[）)]")
WEEKDAY = re.compile(r"(?:星期|周|礼拜)([一二三四五六日天])")
WORKED = re.compile(
    r"补班|上班|调班|make-?up|workdays?|working day|worked|(?<![\w-])work(?![\w-])|班(?!次)", re.IGNORECASE
)
CLOSED = re.compile(r"放假|休息|调休|休市|closed|holiday|day off|休", re.IGNORECASE)
VERB = re.compile(f"(?P<work>{WORKED.pattern})|(?P<rest>{CLOSED.pattern})", re.IGNORECASE)
# Those that are no part of a name: "Bank holiday" is one.
SAID = re.compile(rf"{WORKED.pattern}|放假|休息|调休|休市|closed|day off|休", re.IGNORECASE)
COUNTED = re.compile(r"共\s*\d+\s*天")
NUMBERED = re.compile(r"^\s*(?:[一二三四五六七八九十]+[、.．]|\d+[、．)）]|[-*•])\s*")
POINTS = re.compile(r"[\s,，、;；。.#:：/|]+")


def read_lines(text: str, year: int | None = None) -> Read:
    """The exceptions of a text. With `year`, all must lie in it and may leave it out."""
    days: list[Day] = []
    faults: list[Fault] = []
    notes: list[Fault] = []
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        return Read(faults=(Fault("", _("More than %(most)s lines.") % {"most": MOST_LINES}),))
    for number, line in enumerate(lines, 1):
        where = _("line %(number)s") % {"number": number}
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if len(line) > LONGEST_LINE:
            faults.append(Fault(where, _("This line is longer than %(most)s characters.") % {"most": LONGEST_LINE}))
            continue
        try:
            found, odd = _line(line, year, where)
        except Unreadable as error:
            faults.append(Fault(where, str(error)))
            continue
        days += found
        notes += [Fault(where, one) for one in odd]
    faults += twice(days)
    return Read(tuple(sorted(days, key=lambda day: day.date)), tuple(faults), tuple(notes))


def twice(days: Iterable[Day]) -> Iterator[Fault]:
    """A day that is said more than once, and what is wrong with that."""
    known: dict[date, Day] = {}
    for day in days:
        first = known.setdefault(day.date, day)
        if first is day:
            continue
        told = {"day": day.date.isoformat(), "where": first.where}
        if first.worked != day.worked:
            yield Fault(day.where, _("%(day)s is a workday and closed as well (%(where)s).") % told)
        else:
            yield Fault(day.where, _("%(day)s is there twice (%(where)s).") % told)


@dataclass(frozen=True)
class _Span:
    first: date
    last: date
    start: int
    end: int


def _line(line: str, year: int | None, where: str) -> tuple[list[Day], list[str]]:
    """The days of a line, and what is odd about them. Raises Unreadable."""
    plain = _without_asides(line)
    spans = list(_spans(plain, year))
    if not spans:
        raise Unreadable(_("There is no date in “%(text)s”.") % {"text": line.strip()[:60]})
    before = NUMBERED.sub("", plain[: spans[0].start])
    otherwise, title = bool(WORKED.search(before)), _name(before)
    days: list[Day] = []
    for group, worked, rest in _said(plain, spans, otherwise):
        windows = _own_windows(rest) if worked else None
        called = (title or _name(rest))[:40]
        days += [Day(day, worked, windows, called, where) for span in group for day in _days(span)]
    return days, _odd(line, year)


def _without_asides(line: str) -> str:
    """The line without what stands in brackets: weekdays and lunar dates, unless they say what kind of day it is."""

    def kept(found: re.Match[str]) -> str:
        inner = found[1].strip()
        return f" {inner} " if VERB.fullmatch(inner) else ""

    return COUNTED.sub("", ASIDE.sub(kept, line))


def _spans(text: str, year: int | None) -> Iterator[_Span]:
    hits = sorted([*ISO.finditer(text), *CHINESE.finditer(text)], key=lambda hit: hit.start())
    for hit in hits:
        first = _date(hit["y"], hit["m"], hit["d"], year)
        last = (
            _date(hit["y2"] or hit["y"] or str(first.year), hit["m2"] or hit["m"], hit["d2"], year)
            if hit["d2"]
            else first
        )
        if last < first:
            told = {"first": first.isoformat(), "last": last.isoformat()}
            raise Unreadable(_("%(first)s to %(last)s ends before it starts.") % told)
        if (last - first).days >= MOST_DAYS:
            raise Unreadable(_("More than %(most)s days in a row: this cannot be meant.") % {"most": MOST_DAYS})
        for day in (first, last):
            if year is not None and day.year != year:
                raise Unreadable(_("%(day)s does not lie in %(year)s.") % {"day": day.isoformat(), "year": year})
            if not FIRST_YEAR <= day.year <= LAST_YEAR:
                told = {"day": day.isoformat(), "first": str(FIRST_YEAR), "last": str(LAST_YEAR)}
                raise Unreadable(_("%(day)s does not lie between %(first)s and %(last)s.") % told)
        yield _Span(first, last, hit.start(), hit.end())


def _date(year: str | None, month: str, day: str, otherwise: int | None) -> date:
    if year is None and otherwise is None:
        raise Unreadable(_("Write the year as well: %(month)s-%(day)s.") % {"month": month, "day": day})
    number = int(year) if year else int(otherwise or 0)
    try:
        return date(number, int(month), int(day))
    except ValueError:
        text = f"{number}-{int(month):02}-{int(day):02}"
        raise Unreadable(_("There is no day %(day)s.") % {"day": text}) from None


def _said(text: str, spans: list[_Span], otherwise: bool) -> Iterator[tuple[list[_Span], bool, str]]:
    """Spans with whether they are worked, and what stands behind them.

    The next word behind a date says what it is, and says it of the dates before it as well: "2月14日、2月28日上班".
    """
    group: list[_Span] = []
    for number, span in enumerate(spans):
        group.append(span)
        until = spans[number + 1].start if number + 1 < len(spans) else len(text)
        rest = text[span.end : until]
        verb = VERB.search(rest)
        if verb is None and number + 1 < len(spans):
            continue
        yield group, bool(verb["work"]) if verb else otherwise, rest
        group = []


def _own_windows(rest: str) -> tuple[tuple[str, str], ...] | None:
    start = re.search(r"\d{1,2}[:：]\d{2}", rest)
    if start is None:
        return None
    end = max(hit.end() for hit in re.finditer(r"\d{1,2}[:：]\d{2}", rest))
    return tuple((opens, closes) for opens, closes in windows_of(rest[start.start() : end]))


def _name(rest: str) -> str:
    """What a day is called: the words without those that say what kind of day it is."""
    without = SAID.sub(" ", WINDOW.sub(" ", rest))
    return POINTS.sub(" ", without).strip()


def _days(span: _Span) -> Iterator[date]:
    day = span.first
    while day <= span.last:
        yield day
        day += timedelta(days=1)


def _odd(line: str, year: int | None) -> list[str]:
    """Weekdays that are not those of their dates: a list of another year, perhaps."""
    found = []
    for aside in ASIDE.finditer(line):
        said = WEEKDAY.search(aside[1])
        hits = [hit for hit in [*DATED.finditer(line)] if hit.end() == aside.start()]
        if not said or not hits:
            continue
        hit = hits[0]
        day = _date(hit["y"], hit["m"], hit["d"], year)
        if "一二三四五六日".index(said[1].replace("天", "日")) != day.weekday():
            found.append(
                _("%(day)s is not the weekday it says (%(said)s).") % {"day": day.isoformat(), "said": said[0]}
            )
    return found


# --- Rules and text --------------------------------------------------------------------------------------------------


def days_of(rules: Mapping[str, Any]) -> list[Day]:
    """The exceptions of a calendar version's rules, in order."""
    names = rules.get("names", {})
    closed = [Day(date.fromisoformat(text), name=names.get(text, "")) for text in rules.get("closed", [])]
    worked = [
        Day(date.fromisoformat(text), True, _tuples(given), names.get(text, ""))
        for text, given in rules.get("workdays", {}).items()
    ]
    return sorted([*closed, *worked], key=lambda day: day.date)


def _tuples(given: Any) -> tuple[tuple[str, str], ...] | None:
    return None if given is None else tuple((start, end) for start, end in given)


def rules_with(rules: Mapping[str, Any], days: Iterable[Day]) -> dict[str, Any]:
    """The rules with these exceptions and no others."""
    known = sorted(days, key=lambda day: day.date)
    return {
        "kind": "hours",
        "week": dict(rules.get("week", {})),
        "closed": [day.date.isoformat() for day in known if not day.worked],
        "workdays": {
            day.date.isoformat(): None if day.windows is None else [list(pair) for pair in day.windows]
            for day in known
            if day.worked
        },
        "names": {day.date.isoformat(): day.name for day in known if day.name},
    }


def lines_of(days: Iterable[Day]) -> str:
    """The same as text that `read_lines` reads."""
    return "\n".join(_row(row) for row in in_rows(days))


def in_rows(days: Iterable[Day]) -> list[list[Day]]:
    """Closed days in a row that are alike, together."""
    rows: list[list[Day]] = []
    for day in sorted(days, key=lambda day: day.date):
        last = rows[-1][-1] if rows else None
        alike = last is not None and (last.says, last.name) == (day.says, day.name) and not day.worked
        if last and alike and last.date + timedelta(days=1) == day.date and last.date.year == day.date.year:
            rows[-1].append(day)
        else:
            rows.append([day])
    return rows


def _row(row: list[Day]) -> str:
    first, last = row[0], row[-1]
    said = first.date.isoformat() + (f"..{last.date:%m-%d}" if last is not first else "")
    parts = [said, "workday" if first.worked else "", windows_text(first.windows or ()), first.name]
    return " ".join(part for part in parts if part)
