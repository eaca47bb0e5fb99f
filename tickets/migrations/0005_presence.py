"""Who has a ticket open: a table that a crash may empty."""

from django.db import migrations

SQL = """
CREATE UNLOGGED TABLE tickets_presence (
    ticket_id bigint NOT NULL,
    user_id bigint NOT NULL,
    state text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (ticket_id, user_id)
);
"""


class Migration(migrations.Migration):
    dependencies = [("tickets", "0004_tags")]
    operations = [migrations.RunSQL(SQL, "DROP TABLE tickets_presence")]
