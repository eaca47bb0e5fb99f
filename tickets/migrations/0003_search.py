"""The words of every message. Those written before stand there empty, of edition 0, until `manage.py reindex`."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0002_numbers")]
    operations = [
        migrations.CreateModel(
            name="SearchRow",
            fields=[
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="tickets.message",
                    ),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tickets.ticket",
                    ),
                ),
                ("edition", models.PositiveSmallIntegerField(db_index=True)),
                ("words", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=False, fields=["words"], name="words_of_messages"
                    )
                ]
            },
        ),
        migrations.RunSQL(
            "INSERT INTO tickets_searchrow (message_id, ticket_id, edition, words) "
            "SELECT id, ticket_id, 0, '' FROM tickets_message",
            migrations.RunSQL.noop,
        ),
    ]
