from django.conf import settings
from django.db import migrations, models

# What was broken before breaches were written down is written down as it was known; when it was seen is not.
BREACHES = """
INSERT INTO sla_breach (clock_id, subject, customer_id, kind, priority, target_s, policy, due_at, breached_at,
    detected_at, cause)
SELECT c.id, c.subject, c.customer_id, c.kind, c.priority, c.target_s, p.number, c.due_at, c.breached_at,
    c.breached_at, c.cause
FROM sla_clock c JOIN tickets_ticket t ON c.subject = 'HD-' || t.id JOIN sla_policyversion p ON p.id = t.policy_id
WHERE c.breached_at IS NOT NULL
"""
# Since the last step that led there.
WAKE = """
UPDATE tickets_ticket t
SET wake_at = s.since + CASE t.status WHEN 'resolved' THEN interval '5 days' ELSE interval '3 days' END
FROM (SELECT e.subject, e.action, max(e.at) AS since FROM audit_entry e
    WHERE e.action IN ('ticket.asked', 'ticket.resolved') GROUP BY 1, 2) s
WHERE s.subject = 'HD-' || t.id AND (t.status, s.action) IN (
    ('waiting_customer', 'ticket.asked'), ('resolved', 'ticket.resolved'))
"""
# Clocks that run have warnings before them now: the next sweep looks at each of them.
LOOK = "UPDATE sla_clock SET next_event_at = started_at WHERE next_event_at IS NOT NULL"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_members_see_all"),
        ("sla", "0003_breaches"),
        ("tickets", "0018_lapsed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="ticket",
            name="wake_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("wake_at__isnull", False)), fields=["wake_at", "id"], name="tickets_to_wake"
            ),
        ),
        migrations.RunSQL(BREACHES, migrations.RunSQL.noop),
        migrations.RunSQL(WAKE, migrations.RunSQL.noop),
        migrations.RunSQL(LOOK, migrations.RunSQL.noop),
    ]
