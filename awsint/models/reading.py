"""How the mirror is kept: who is read when, what each reading changed, every call, every message of a queue."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from awsint.models.accounts import Account, Hub, State


class Via(models.TextChoices):
    """How we came to know of something."""

    FIRST = "first", _("first reading")
    POLL = "poll", _("poll")
    PUSH = "push", _("push")
    OURS = "ours", _("sent by us")


class Poll(models.Model):
    """When an account is read, and how that went: one row an account.

    Whoever reads it holds the lease; `fence` goes up with each lease, and a stalled reader whose fence is old writes
    nothing (aws.md, 4.13 and section 5).
    """

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="poll")
    next_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    # The last time that everything was read.
    read_at = models.DateTimeField(null=True)
    # The first reading is over.
    first_at = models.DateTimeField(null=True)
    # The last time that resolved cases and older words were looked through too.
    whole_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=14, choices=State.choices, default=State.NEW)
    # AWS's code for it and, for the staff, its words.
    code = models.CharField(max_length=80, blank=True)
    reason = models.TextField(blank=True)
    since = models.DateTimeField(null=True)
    # The notice about this state has been given.
    told_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["next_at", "account"], name="polls_due")]


class Round(models.Model):
    """A heartbeat: one run of a job with what it was to do and what it did. `kind` is "support", "push" or "health"."""

    kind = models.CharField(max_length=12)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    due = models.PositiveIntegerField(default=0)
    read = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    note = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["kind", "-started_at"], name="rounds_newest")]


class Change(models.Model):
    """Something that a reading changed. `told` is how many letters it wrote; a reading without news leaves no row."""

    class What(models.TextChoices):
        CASE = "case", _("new case")
        COMMUNICATION = "communication", _("new communication")
        STATUS = "status", _("new status")
        REDACTION = "redaction", _("AWS changed a text")
        FILE = "file", _("file fetched")
        GONE = "gone", _("no longer known to AWS")

    at = models.DateTimeField()
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    case = models.ForeignKey("awsint.SupportCase", models.PROTECT, null=True, related_name="+", db_index=False)
    communication = models.ForeignKey(
        "awsint.Communication", models.PROTECT, null=True, related_name="+", db_index=False
    )
    what = models.CharField(max_length=16, choices=What.choices)
    via = models.CharField(max_length=10, choices=Via.choices)
    # AWS's clock, where AWS gives a time for it.
    aws_at = models.DateTimeField(null=True)
    old = models.CharField(max_length=40, blank=True)
    new = models.CharField(max_length=40, blank=True)
    told = models.PositiveSmallIntegerField(default=0)
    ticket = models.CharField(max_length=20, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["-id"], name="changes_newest"),
            models.Index(fields=["account", "-id"], name="changes_of_account"),
            models.Index(fields=["case", "-id"], name="changes_of_case"),
        ]


class CallLog(models.Model):
    """Every call to AWS, 35 days: a partition a day, made by the migration and nightly (calls.py). No bodies.

    Its key in the database is (at, id).
    """

    at = models.DateTimeField()
    id = models.BigAutoField(primary_key=True)
    account_number = models.CharField(max_length=12)
    partition = models.CharField(max_length=12)
    service = models.CharField(max_length=20)
    operation = models.CharField(max_length=60)
    # "ok" or AWS's code.
    result = models.CharField(max_length=80)
    ms = models.IntegerField()
    attempts = models.SmallIntegerField(default=1)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        managed = False
        db_table = "awsint_calllog"


class CallHour(models.Model):
    """How often an account was called in an hour, kept for good."""

    hour = models.DateTimeField()
    account_number = models.CharField(max_length=12)
    service = models.CharField(max_length=20)
    operation = models.CharField(max_length=60)
    calls = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()
    ms = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hour", "account_number", "service", "operation"], name="one_row_an_hour")
        ]


class InboxMessage(models.Model):
    """A message of a hub's queue, as it came: stored before it is deleted there. `key` is the event's own id.

    `new` waits, `done` was read, `refused` came from an account that is none of ours or claims another's, `parked`
    could not be read and may be tried again by hand.
    """

    class State(models.TextChoices):
        NEW = "new", _("waits")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")
        PARKED = "parked", _("parked")

    hub = models.ForeignKey(Hub, models.PROTECT, related_name="+", db_index=False)
    queue = models.CharField(max_length=10)
    key = models.CharField(max_length=200)
    body = models.TextField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    reason = models.CharField(max_length=200, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    # Copies that came again.
    copies = models.PositiveIntegerField(default=0)
    account_number = models.CharField(max_length=12, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hub", "queue", "key"], name="one_row_a_message")]
        indexes = [
            models.Index(fields=["next_try_at", "id"], condition=models.Q(state="new"), name="messages_waiting"),
            models.Index(fields=["queue", "state", "-id"], name="messages_newest"),
            models.Index(fields=["queue", "received_at"], name="messages_by_time"),
        ]
