"""Drafts: what somebody has written and not sent."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

KINDS = [("opening", "opening"), ("reply", "reply"), ("note", "note")]


class Migration(migrations.Migration):
    dependencies = [("tickets", "0007_merge"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="Draft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=KINDS, default="reply", max_length=10)),
                ("body", models.TextField()),
                ("at", models.DateTimeField()),
                (
                    "ticket",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tickets.ticket",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("ticket", "user"), name="one_draft_each")],
            },
        ),
    ]
