"""`told_at` becomes what it says: when the relay took the letter. What it said so far is `opened_at`."""

from django.db import migrations, models

FILL = """
UPDATE awsint_affectedcustomer c SET told_at = n.at FROM (
    SELECT p.id, min(l.sent_at) AS at FROM awsint_affectedcustomer p JOIN outbox_letter l
    ON l.subject = 'HD-' || p.ticket_id AND l.kind = 'ticket.aws_event' AND l.customer = p.customer_id
    WHERE l.state = 'sent' AND l.reason <> 'demo' GROUP BY p.id) n
WHERE c.id = n.id
"""


class Migration(migrations.Migration):
    dependencies = [("awsint", "0010_handling"), ("outbox", "0006_unknown")]

    operations = [
        migrations.RenameField(model_name="affectedcustomer", old_name="told_at", new_name="opened_at"),
        migrations.AddField(model_name="affectedcustomer", name="told_at", field=models.DateTimeField(null=True)),
        migrations.AddIndex(
            model_name="affectedcustomer",
            index=models.Index(
                condition=models.Q(("ticket__isnull", False), ("told_at", None)),
                fields=["opened_at", "id"],
                name="health_parts_untold",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
