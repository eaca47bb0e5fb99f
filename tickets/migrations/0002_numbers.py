"""Tickets count from 1001: a first customer need not learn that they are the first."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER SEQUENCE tickets_ticket_id_seq MINVALUE 1001 START 1001 RESTART 1001", migrations.RunSQL.noop
        )
    ]
