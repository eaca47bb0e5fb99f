"""What the provider says became of a letter: which of its words counts, whatever the order they came in.

Of one reader: a bounce for good stands, also after a delivery, for some servers take a mail and send it back; so do a
rejection and a complaint. Of a delivery and a bounce of the moment the later one stands. A delay is over once any of
them is said.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from helpdesk.outbox.addresses import bare
from helpdesk.outbox.models import Bouncer, Fate, Letter, Word

WEIGHT = {
    Fate.DELAYED: 1,
    Fate.DELIVERED: 2,
    Fate.RETURNED: 2,
    Fate.COMPLAINED: 3,
    Fate.REJECTED: 4,
    Fate.BOUNCED: 5,
}
# Of a letter's readers the worst off speaks for it.
WORST_FIRST = [Fate.BOUNCED, Fate.REJECTED, Fate.COMPLAINED, Fate.RETURNED, Fate.DELAYED]


def readers(letter: Letter) -> list[str]:
    """Whom it goes to, those who get a copy included, as the letter has them."""
    return [letter.to_address, *(one["address"] for one in letter.cc)]


def last_words(words: Iterable[Word]) -> dict[str, Word]:
    """By address, the word that counts."""
    found: dict[str, Word] = {}
    for word in words:
        if word.address not in found or _order(word) > _order(found[word.address]):
            found[word.address] = word
    return found


def _order(word: Word) -> tuple[int, datetime, bool]:
    return WEIGHT[Fate(word.kind)], word.at, word.kind == Fate.RETURNED


def fate(words: Iterable[Word], addresses: Collection[str]) -> str:
    """Of a letter to these addresses as a whole: delivered where all of them were; empty where nothing is known."""
    last = last_words(words)
    kinds = {last[address].kind if address in last else "" for address in addresses}
    for bad in WORST_FIRST:
        if bad in kinds:
            return bad
    return Fate.DELIVERED if kinds == {Fate.DELIVERED} else ""


# --- Addresses that bounce -------------------------------------------------------------------------------------------


def mark_bouncers(letters: Collection[Letter]) -> None:
    """Notes of each which of its readers' addresses bounce. One statement for all of them."""
    asked = {bare(address) for letter in letters for address in readers(letter)}
    found = frozenset(Bouncer.objects.filter(address__in=asked).values_list("address", flat=True))
    for letter in letters:
        letter.bouncers = found & {bare(address) for address in readers(letter)} if found else found


def bounce(letter: Letter, words: Iterable[Word]) -> None:
    """No letter leaves to these addresses any more. One statement; by address, so that two of them never cross."""
    rows = {word.address: Bouncer(address=word.address, letter=letter, said=word.said, at=word.at) for word in words}
    Bouncer.objects.bulk_create(
        [rows[address] for address in sorted(rows)],
        update_conflicts=True,
        unique_fields=["address"],
        update_fields=["letter", "said", "at"],
    )


def trust(letter: Letter) -> bool:
    """Somebody says so by hand: letters leave to its addresses again. False where they did anyway."""
    count, _by_model = Bouncer.objects.filter(address__in=[bare(address) for address in readers(letter)]).delete()
    return bool(count)
