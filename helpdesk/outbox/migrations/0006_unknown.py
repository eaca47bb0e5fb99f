"""A letter whose answer was lost, where the other side must be looked through before it may leave again."""

from django.db import migrations, models

REASONS = [
    ("server", "the mail server does not answer"),
    ("deferred", "the other side puts it off"),
    ("quota", "the other side takes no more of them this hour"),
    ("refused", "the other side refuses it"),
    ("exhausted", "given up after many attempts"),
    ("unwritable", "its words could not be made"),
    ("untrue", "no longer true"),
    ("nothing", "nothing left to say"),
    ("nobody", "its reader may not have it any more"),
    ("taken_back", "taken back"),
    ("replaced", "a newer one took its place"),
    ("by_hand", "cancelled by hand"),
    ("demo", "demo"),
]
STATES = [
    ("held", "held"),
    ("ready", "ready"),
    ("sending", "being sent"),
    ("sent", "sent"),
    ("unknown", "not known whether it arrived"),
    ("failed", "failed"),
    ("cancelled", "cancelled"),
]
ON_THEIR_WAY = ["held", "ready", "sending", "unknown"]


class Migration(migrations.Migration):
    dependencies = [("outbox", "0005_letters_of_the_demo")]
    operations = [
        migrations.RemoveConstraint("letter", "ready_letters_have_a_time"),
        migrations.RemoveIndex("letter", "letters_on_their_way"),
        migrations.AddField("letter", "looks", models.PositiveSmallIntegerField(default=0)),
        migrations.AlterField("letter", "reason", models.CharField(blank=True, choices=REASONS, max_length=12)),
        migrations.AlterField("letter", "state", models.CharField(choices=STATES, default="ready", max_length=12)),
        migrations.AddIndex(
            "letter",
            models.Index(
                condition=models.Q(("state__in", ON_THEIR_WAY)), fields=["subject", "id"], name="letters_on_their_way"
            ),
        ),
        migrations.AddIndex(
            "letter",
            models.Index(condition=models.Q(("state", "unknown")), fields=["next_try_at"], name="letters_to_look_for"),
        ),
        migrations.AddConstraint(
            "letter",
            models.CheckConstraint(
                condition=models.Q(("state__in", ["ready", "unknown"]), _negated=True)
                | models.Q(("next_try_at__isnull", False)),
                name="ready_letters_have_a_time",
            ),
        ),
    ]
