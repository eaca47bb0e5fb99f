from django.db import migrations, models

# When what is set aside already became so, as its history has it: with the last step of its subject's status.
SQL = """
UPDATE sla_clock c SET set_aside_at = COALESCE(
    (SELECT max(e.at) FROM audit_entry e WHERE e.subject = c.subject AND e.fact ->> 0 IN ('status', 'withdrawn')),
    c.started_at)
WHERE c.verdict IN ('paused', 'n/a')
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_no_mail"),
        ("sla", "0007_kinds_and_drills"),
        ("audit", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="clock",
            name="set_aside_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunSQL(SQL, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="clock",
            index=models.Index(
                condition=models.Q(("drill", False), ("verdict__in", ["met", "breached"])),
                fields=["due_at", "id"],
                include=("kind", "verdict", "customer", "priority", "category", "engineer", "source"),
                name="clocks_decided",
            ),
        ),
        migrations.AddIndex(
            model_name="clock",
            index=models.Index(
                condition=models.Q(("drill", False), ("verdict__in", ["met", "breached"])),
                fields=["customer", "due_at", "id"],
                name="clocks_decided_of",
            ),
        ),
        migrations.AddIndex(
            model_name="clock",
            index=models.Index(condition=models.Q(("verdict", "open")), fields=["due_at", "id"], name="clocks_open"),
        ),
        migrations.AddIndex(
            model_name="clock",
            index=models.Index(condition=models.Q(("drill", True)), fields=["due_at", "id"], name="clocks_of_drills"),
        ),
        migrations.AddIndex(
            model_name="clock",
            index=models.Index(
                condition=models.Q(("set_aside_at__isnull", False)),
                fields=["set_aside_at", "id"],
                name="clocks_set_aside",
            ),
        ),
    ]
