"""The ids of mails: by them a mail program keeps together what belongs together.

All mails about one subject refer to the same first id, which no mail has itself; so they stay together even where a
provider gives each mail an id of its own.
"""

from django.conf import settings
from django.db import connection

from helpdesk.outbox import tokens
from helpdesk.outbox.models import Letter

MOST = 9


def message_id(letter: int) -> str:
    """The id of the mail that a letter becomes, however often it is sent."""
    return f"<letter.{letter}.{tokens.code(f'message:{letter}')[:13]}@{settings.MAIL_DOMAIN}>"


def root_id(subject: str) -> str:
    """What all mails about a subject refer to first."""
    return f"<{subject.lower()}.{tokens.code(f'root:{subject}')[:13]}@{settings.MAIL_DOMAIN}>"


# As text, because every letter asks it.
BEFORE = """
SELECT id FROM outbox_letter
WHERE subject = %s AND to_key = %s AND id < %s AND state = 'sent' ORDER BY id DESC LIMIT %s
"""


def chain(letter: Letter) -> list[str]:
    """What a mail refers to: its subject's first id, then what the same reader got before. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(BEFORE, [letter.subject, letter.to_key, letter.pk, MOST])
        got = [pk for (pk,) in cursor.fetchall()]
    return [root_id(letter.subject), *(message_id(pk) for pk in reversed(got))]
