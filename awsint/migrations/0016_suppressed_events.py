from django.db import migrations

# Events without a ticket bear the suppression that kept it from them.
SUPPRESSED = """
UPDATE awsint_healthevent e SET suppression_id = (
    SELECT min(p.suppression_id) FROM awsint_affectedcustomer p WHERE p.event_id = e.id AND p.ticket_id IS NULL)
WHERE e.ticket_id IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("awsint", "0015_health_notes"),
    ]

    operations = [
        migrations.RunSQL(SUPPRESSED, migrations.RunSQL.noop),
    ]
