"""Our own words as they come back from AWS: known by their tag, if it is one that we gave for this very account.

A customer can type a tag into AWS's console, so a tag counts once a case and only where a sending of ours bears it;
whatever else bears it is told like any other words.
"""

from collections.abc import Sequence

from awsint import tags
from awsint.models import Communication, Outgoing, SupportCase
from tickets.models import Ticket


def mark(case: SupportCase, words: Sequence[Communication]) -> None:
    """Links those of some new words that we sent to what was written here. No statement where none bears a tag."""
    for word in words:
        sent = _sent(case, word)
        if sent and not Communication.objects.filter(case=case, ref=sent.tag).exists():
            word.ref, word.message = sent.tag[:60], sent.message
            word.save(update_fields=["ref", "message"])


def _sent(case: SupportCase, word: Communication) -> Outgoing | None:
    # AWS may quote us: its own words are never our echo.
    tag = None if word.by_aws else tags.found_in(word.body)
    if tag is None:
        return None
    ours = Outgoing.objects.filter(account=case.account_id, letter=tag.letter, ticket=tag.ticket)
    return ours.select_related("message").first()


def ticket_of(case: SupportCase) -> Ticket | None:
    """The ticket from which we opened a case; None where somebody else opened it."""
    tag = tags.found_in(case.subject)
    if tag is None:
        return None
    ours = Outgoing.objects.filter(
        account=case.account_id, letter=tag.letter, ticket=tag.ticket, verb=Outgoing.Verb.CREATE
    )
    # A second copy of it belongs there too: whoever sent it is told of that elsewhere.
    sent = ours.select_related("ticket").first()
    return sent.ticket if sent else None
