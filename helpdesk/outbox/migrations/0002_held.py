"""Letters that wait while what they tell can still be taken back."""

from django.db import migrations, models

STATES = [("held", "held"), ("ready", "ready"), ("sent", "sent"), ("cancelled", "cancelled")]


class Migration(migrations.Migration):
    dependencies = [("outbox", "0001_initial")]
    operations = [
        migrations.AddField("letter", "release_at", models.DateTimeField(null=True)),
        migrations.AddField("letter", "held_for", models.CharField(blank=True, default="", max_length=40), False),
        migrations.AlterField("letter", "state", models.CharField(choices=STATES, default="ready", max_length=12)),
        migrations.AddIndex(
            "letter",
            models.Index(condition=models.Q(("state", "held")), fields=["release_at"], name="letters_held"),
        ),
    ]
