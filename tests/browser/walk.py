"""Every page a person can reach by links, a few of each kind."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

MOST_PAGES = 60
PER_PATTERN = 2
# What differs between pages of one kind: keys, numbers, kinds of letters ("ticket.received").
KINDS = re.compile(r"[0-9a-f-]{8,}|\d+|[a-z_]+\.[a-z_]+")
# These change something by being visited, or are no pages.
NOT_PAGES = re.compile(
    r"logout|/files/[0-9a-f-]{36}/.|/jsi18n/|setlang|/caught/.+/source|/admin/.+|\.(css|js|svg|json)$|[./](csv|xlsx|pdf)$"
)


def pages(page: Any, url: str, visit: Callable[[str], None]) -> Iterator[str]:
    """Calls `visit` for "/" and for all that its links lead to, breadth first; yields each path after its visit."""
    waiting, known, patterns = ["/"], {"/"}, Counter[str]()
    seen = 0
    while waiting and seen < MOST_PAGES:
        path = waiting.pop(0)
        pattern = KINDS.sub("N", urlsplit(path).path)
        patterns[pattern] += 1
        if patterns[pattern] > PER_PATTERN:
            continue
        visit(path)
        seen += 1
        yield path
        links = page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")
        found = [p for p in (_here(url, link) for link in links) if p and p not in known]
        known.update(found)
        waiting += dict.fromkeys(found)


def _here(url: str, link: str) -> str:
    """The path of a link that stays on this desk and only looks, else nothing."""
    parts = urlsplit(urljoin(url, link))
    if parts.netloc != urlsplit(url).netloc or NOT_PAGES.search(parts.path):
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")
