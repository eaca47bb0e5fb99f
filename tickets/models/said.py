"""What was said on a ticket, or will be: messages with their files and words, drafts, canned replies."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from helpdesk.accounts.models import User
from tickets.filetypes import FileType
from tickets.models.ticket import Source, Ticket


class Message(models.Model):
    """Something said: the opening text, a public reply, an internal note, or words of AWS.

    `html` is `body` rendered once. Of what was said at AWS, `said_at` is AWS's own time and `said_by` who wrote it
    there, null where AWS itself did.
    """

    class Kind(models.TextChoices):
        OPENING = "opening", _("opening")
        REPLY = "reply", _("reply")
        NOTE = "note", _("note")
        AWS = "aws", _("AWS")

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="messages", db_index=False)
    # Where it was said first, if that ticket was merged into this one (merging.py).
    origin = models.ForeignKey(Ticket, models.PROTECT, null=True, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    author = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    by_desk = models.BooleanField()
    source = models.CharField(max_length=20, choices=Source.choices)
    body = models.TextField()
    html = models.TextField()
    at = models.DateTimeField()
    # Customers meet it from then on: a reply of the desk can be taken back before (undoing.py).
    released_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    said_at = models.DateTimeField(null=True)
    said_by = models.TextField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["ticket", "id"], name="messages_of_ticket"),
            models.Index(fields=["origin"], condition=models.Q(origin__isnull=False), name="messages_of_origin"),
        ]
        constraints = [
            # A customer cannot write an internal note, whatever the code above says.
            models.CheckConstraint(condition=~models.Q(kind="note", by_desk=False), name="notes_are_ours")
        ]


class Draft(models.Model):
    """Words somebody has not sent yet (drafting.py). `at` is the last save, and what makes an older page older."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=Message.Kind.choices, default=Message.Kind.REPLY)
    body = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "user"], name="one_draft_each")]

    @property
    def is_note(self) -> bool:
        return self.kind == Message.Kind.NOTE

    @property
    def stamp(self) -> str:
        """`at` as a form carries it."""
        return self.at.isoformat()


class SearchRow(models.Model):
    """The words of a message as a search asks for them (search.py); `edition` says how they were cut."""

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="+")
    # The message's own key holds it up.
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    edition = models.PositiveSmallIntegerField(db_index=True)
    words = SearchVectorField()

    class Meta:
        # Without the pending list every search is as quick as the last, and no writer pays for a hundred others.
        indexes = [GinIndex(fields=["words"], fastupdate=False, name="words_of_messages")]


# Numbers of files that were uploaded and go with a message.
Files = Sequence[UUID]


class Attachment(models.Model):
    """A file that somebody sent. Without a message it waits to be sent.

    `stored` is its key in the storage: two rows share it where a message was split off into a ticket of its own. What
    waits on the form of a ticket stands there again with its sender's draft (`waits_for`). One that is `archived`
    belongs to something that is no message (a case without a ticket), and stays though it has none.
    `preview` says whether a worker has drawn it: `pages` pictures, the first of them `width` by `height`.
    """

    class Preview(models.TextChoices):
        NONE = "none", _("no preview")
        WANTED = "wanted", _("preview on its way")
        MADE = "made", _("preview")
        FAILED = "failed", _("no preview possible")

    id = models.UUIDField(primary_key=True, default=uuid4)
    stored = models.UUIDField(db_index=True)
    message = models.ForeignKey(Message, models.PROTECT, null=True, related_name="+", db_index=False)
    waits_for = models.ForeignKey(Ticket, models.SET_NULL, null=True, related_name="+", db_index=False)
    uploader = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=10, choices=FileType.choices)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    archived = models.BooleanField(default=False)
    preview = models.CharField(max_length=10, choices=Preview.choices, default=Preview.NONE)
    pages = models.PositiveSmallIntegerField(default=0)
    width = models.PositiveSmallIntegerField(default=0)
    height = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["message"], name="files_of_message"),
            models.Index(fields=["uploader", "created_at"], name="files_of_uploader"),
            models.Index(fields=["created_at"], condition=models.Q(message=None), name="files_not_sent"),
            models.Index(fields=["waits_for"], condition=models.Q(message=None), name="files_waiting_on_ticket"),
            models.Index(fields=["next_try_at"], condition=models.Q(preview="wanted"), name="files_to_draw"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(type__in=FileType.values), name="known_type"),
            models.CheckConstraint(
                condition=~models.Q(preview="wanted") | models.Q(next_try_at__isnull=False), name="wanted_has_a_time"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        return self.stored.hex


class Canned(models.Model):
    """A text the desk says often: somebody's own, or everybody's where it has no owner (canned.py)."""

    name = models.TextField()
    owner = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    body_zh = models.TextField(blank=True)
    body_en = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(body_zh="", body_en=""), name="said_in_one_language_at_least")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_shared(self) -> bool:
        return self.owner_id is None

    @property
    def text(self) -> str:
        """The text as a colleague looks through them: in their own language where there is one."""
        return self.in_language(get_language() or "")

    def in_language(self, language: str) -> str:
        """The text in a language, in the other one where it has none."""
        both = (self.body_zh, self.body_en)
        first, second = both if language.startswith("zh") else both[::-1]
        return first or second
