"""Letters leave: attempts, leases, reasons, and indexes by which they are claimed."""

from django.db import migrations, models

STATES = [
    ("held", "held"),
    ("ready", "ready"),
    ("sending", "being sent"),
    ("sent", "sent"),
    ("failed", "failed"),
    ("cancelled", "cancelled"),
]
REASONS = [
    ("server", "the mail server does not answer"),
    ("deferred", "the other side puts it off"),
    ("refused", "the other side refuses it"),
    ("exhausted", "given up after many attempts"),
    ("unwritable", "its words could not be made"),
    ("untrue", "no longer true"),
    ("nothing", "nothing left to say"),
    ("nobody", "its reader may not have it any more"),
    ("taken_back", "taken back"),
    ("replaced", "a newer one took its place"),
    ("by_hand", "cancelled by hand"),
]
ON_THEIR_WAY = models.Q(("state__in", ["held", "ready", "sending"]))


class Migration(migrations.Migration):
    dependencies = [("outbox", "0003_copies")]
    operations = [
        migrations.AlterField("letter", "state", models.CharField(choices=STATES, default="ready", max_length=12)),
        migrations.AddField(
            "letter", "reason", models.CharField(blank=True, choices=REASONS, default="", max_length=12), False
        ),
        migrations.AddField("letter", "guard", models.CharField(blank=True, default="", max_length=40), False),
        migrations.AddField("letter", "next_try_at", models.DateTimeField(null=True)),
        migrations.AddField("letter", "attempts", models.PositiveSmallIntegerField(default=0)),
        migrations.AddField("letter", "last_error", models.CharField(blank=True, default="", max_length=300), False),
        migrations.AddField("letter", "claimed_by", models.CharField(blank=True, default="", max_length=80), False),
        migrations.AddField("letter", "lease_until", models.DateTimeField(null=True)),
        migrations.AddField("letter", "sent_at", models.DateTimeField(null=True)),
        migrations.AddField("letter", "provider_id", models.CharField(blank=True, default="", max_length=200), False),
        migrations.RunSQL(
            "UPDATE outbox_letter SET next_try_at = coalesce(release_at, created_at) WHERE state IN ('held', 'ready')",
            migrations.RunSQL.noop,
        ),
        migrations.AddIndex(
            "letter",
            models.Index(condition=models.Q(("state", "ready")), fields=["next_try_at", "id"], name="letters_due"),
        ),
        migrations.AddIndex(
            "letter", models.Index(condition=ON_THEIR_WAY, fields=["subject", "id"], name="letters_on_their_way")
        ),
        migrations.AddIndex(
            "letter",
            models.Index(condition=models.Q(("state", "sending")), fields=["lease_until"], name="letters_leased"),
        ),
        migrations.AddIndex(
            "letter", models.Index(condition=models.Q(("state", "failed")), fields=["id"], name="letters_dead")
        ),
        migrations.AddConstraint(
            "letter",
            models.CheckConstraint(
                condition=models.Q(("state", "ready"), _negated=True) | models.Q(("next_try_at__isnull", False)),
                name="ready_letters_have_a_time",
            ),
        ),
        migrations.AddConstraint(
            "letter",
            models.CheckConstraint(
                condition=models.Q(("state", "sending"), _negated=True) | models.Q(("lease_until__isnull", False)),
                name="sending_has_a_lease",
            ),
        ),
        migrations.AddConstraint(
            "letter",
            models.CheckConstraint(
                condition=models.Q(("state", "failed"), _negated=True) | models.Q(("reason", ""), _negated=True),
                name="dead_letters_say_why",
            ),
        ),
    ]
