"""What leaves the building: a row written in the transaction of its cause, sent later by a worker.

A letter names a person by key and an address, and what it is about by code; its words are made from templates when
it is sent, in the reader's language and zone. Links that grant a login are stored encrypted in `secret` and blanked
once sent.

    held -> ready <-> sending -> sent
      |       |          |-----> failed: a dead letter, with a reason, until somebody sends it again
      '-------'----------'-----> cancelled, with a reason

A channel whose other side cannot be asked twice (AWS cases) knows one state more: `unknown`, where the answer was lost.
Such a letter is looked for on the other side before it may leave again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

MAIL = "mail"


class Fate(models.TextChoices):
    """What the provider says became of a mail that it took. Where it says nothing, nothing is said."""

    DELIVERED = "delivered", _("delivered")
    DELAYED = "delayed", _("delayed")
    # Transient or undetermined: full, away, too large.
    RETURNED = "returned", _("bounced this time")
    COMPLAINED = "complained", _("reported as spam")
    REJECTED = "rejected", _("rejected by the provider")
    BOUNCED = "bounced", _("bounced")


# What somebody should look at.
BAD_FATES = [Fate.RETURNED, Fate.COMPLAINED, Fate.REJECTED, Fate.BOUNCED]
# A letter that has waited for so long is worth a word in the console.
LATE_S = 600


class Letter(models.Model):
    class State(models.TextChoices):
        HELD = "held", _("held")
        READY = "ready", _("ready")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        UNKNOWN = "unknown", _("not known whether it arrived")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    class Reason(models.TextChoices):
        # Why a ready one waits.
        SERVER = "server", _("the mail server does not answer")
        DEFERRED = "deferred", _("the other side puts it off")
        QUOTA = "quota", _("the other side takes no more of them this hour")
        # Why a letter is dead.
        REFUSED = "refused", _("the other side refuses it")
        EXHAUSTED = "exhausted", _("given up after many attempts")
        UNWRITABLE = "unwritable", _("its words could not be made")
        BOUNCES = "bounces", _("its address bounces")
        # Why one was cancelled.
        UNTRUE = "untrue", _("no longer true")
        NOTHING = "nothing", _("nothing left to say")
        NOBODY = "nobody", _("its reader may not have it any more")
        TAKEN_BACK = "taken_back", _("taken back")
        REPLACED = "replaced", _("a newer one took its place")
        BY_HAND = "by_hand", _("cancelled by hand")
        # One that never went anywhere, though it counts as sent.
        DEMO = "demo", _("demo")

    kind = models.CharField(max_length=60)
    channel = models.CharField(max_length=20, default=MAIL)
    to_key = models.CharField(max_length=80)
    to_address = models.CharField(max_length=254)
    # Who gets it as a copy: objects of key and address. One mail, so that everybody sees who else has it.
    cc = models.JSONField(default=list)
    language = models.CharField(max_length=10)
    zone = models.CharField(max_length=64)
    subject = models.CharField(max_length=80, blank=True)
    customer = models.UUIDField(null=True)
    data = models.JSONField(default=dict)
    secret = models.TextField(blank=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.READY)
    reason = models.CharField(max_length=12, choices=Reason.choices, blank=True)
    # A held letter is ready from then on, unless what holds it ("message:77") is taken back before.
    release_at = models.DateTimeField(null=True)
    held_for = models.CharField(max_length=40, blank=True)
    # A name in settings.OUTBOX_GUARDS: what must still be true when it leaves.
    guard = models.CharField(max_length=40, blank=True)
    # When it may be tried next; how often it was, and what the last try met.
    next_try_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # How often the other side was looked through for it, since nobody knows whether it arrived.
    looks = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    # Who sends it now, and until when nobody else may.
    claimed_by = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    # What the mail service calls it: Amazon SES replaces our Message-ID by one of its own.
    provider_id = models.CharField(max_length=200, blank=True)
    # What the provider says of all its readers together: worked out of its words (words.py), written with them.
    fate = models.CharField(max_length=12, choices=Fate.choices, blank=True)
    created_at = models.DateTimeField()

    # Those of its readers' addresses that bounce: set before it is sent (deliver.py).
    bouncers: frozenset[str] = frozenset()

    class Meta:
        indexes = [
            models.Index(fields=["subject", "id"], name="letters_of_subject"),
            models.Index(fields=["id"], condition=models.Q(state="ready"), name="letters_ready"),
            models.Index(fields=["release_at"], condition=models.Q(state="held"), name="letters_held"),
            # Claiming: what is due, oldest first, and whether something of the same subject goes before.
            models.Index(fields=["next_try_at", "id"], condition=models.Q(state="ready"), name="letters_due"),
            models.Index(
                fields=["subject", "id"],
                condition=models.Q(state__in=["held", "ready", "sending", "unknown"]),
                name="letters_on_their_way",
            ),
            models.Index(fields=["lease_until"], condition=models.Q(state="sending"), name="letters_leased"),
            models.Index(fields=["next_try_at"], condition=models.Q(state="unknown"), name="letters_to_look_for"),
            models.Index(fields=["id"], condition=models.Q(state="failed"), name="letters_dead"),
            # By what the provider calls them; and those it says something bad of.
            models.Index(fields=["provider_id"], condition=~models.Q(provider_id=""), name="letters_at_provider"),
            models.Index(fields=["id"], condition=models.Q(fate__in=BAD_FATES), name="letters_that_came_back"),
        ]
        constraints = [
            # A letter that no claim can find would wait for ever, unseen.
            models.CheckConstraint(
                condition=~models.Q(state__in=["ready", "unknown"]) | models.Q(next_try_at__isnull=False),
                name="ready_letters_have_a_time",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="sending") | models.Q(lease_until__isnull=False), name="sending_has_a_lease"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="failed") | ~models.Q(reason=""), name="dead_letters_say_why"
            ),
        ]

    @property
    def can_be_retried(self) -> bool:
        """A dead one; and one that waits for its next attempt need not wait for it."""
        return self.state == self.State.FAILED or (self.state == self.State.READY and self.attempts > 0)

    @property
    def can_be_cancelled(self) -> bool:
        """What is on its way cannot be called back; what is held is taken back where it was written."""
        return self.state in NOT_LEFT


class Word(models.Model):
    """What the provider said of one reader of a letter; only ever added. The same said twice is one row.

    `at` is when it happened as the provider says, `detail` its own classes ("Permanent/General"), `said` what the
    reader's server answered. `notice` is the message that brought it, `feedback` its number at the provider.
    """

    letter = models.ForeignKey(Letter, models.CASCADE, related_name="words", db_index=False)
    address = models.CharField(max_length=254)
    kind = models.CharField(max_length=12, choices=Fate.choices)
    detail = models.CharField(max_length=60, blank=True)
    said = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()
    provider_id = models.CharField(max_length=200)
    notice = models.CharField(max_length=100)
    feedback = models.CharField(max_length=200, blank=True)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["letter", "address", "kind", "at"], name="one_row_a_providers_word")
        ]

    def __str__(self) -> str:
        return f"{self.address}: {self.kind}"


class Bouncer(models.Model):
    """An address to which no letter leaves any more: the provider said of one that it bounced for good.

    Somebody takes it off by hand, or sends a letter there again.
    """

    address = models.CharField(max_length=254, primary_key=True)
    letter = models.ForeignKey(Letter, models.SET_NULL, null=True, related_name="+", db_index=False)
    said = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()


@dataclass(frozen=True)
class Health:
    """How the post does: dead letters (1000 stands for more), and since when the longest waiting one has been due."""

    dead: int
    since: datetime | None

    def is_late(self, at: datetime) -> bool:
        return self.since is not None and (at - self.since).total_seconds() > LATE_S


def health() -> Health:
    """Two statements, each over a partial index."""
    dead = Letter.objects.filter(state=Letter.State.FAILED)[:1000].count()
    # Ids follow the time: the first of the partial index, and not a walk through all that wait.
    oldest = Letter.objects.filter(state=Letter.State.READY).order_by("id").values_list("created_at", "release_at")
    first = oldest.first()
    return Health(dead, (first[1] or first[0]) if first else None)


# What may still be called back: it waits, or nobody could be given it.
NOT_LEFT = [Letter.State.READY, Letter.State.FAILED]


def cancelled(reason: Letter.Reason) -> dict[str, Any]:
    """What to write on letters that shall not leave. A link that grants a login goes with them."""
    return {"state": Letter.State.CANCELLED, "reason": reason, "secret": "", "claimed_by": "", "lease_until": None}


def waiting(at: datetime) -> dict[str, Any]:
    """What to write on letters that shall be tried from `at` on."""
    return {"state": Letter.State.READY, "next_try_at": at, "claimed_by": "", "lease_until": None}
