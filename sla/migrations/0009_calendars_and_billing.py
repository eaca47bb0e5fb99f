"""The calendars that ship, until when a calendar knows its holidays, and billing with words of its own."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from sla import billing_defaults, calendar_defaults

# What a priority means hangs on the version, as targets and the matrix do (0002).
SQL = """
CREATE TRIGGER sla_definition_fixed BEFORE INSERT OR UPDATE OR DELETE ON sla_definition
    FOR EACH ROW EXECUTE FUNCTION sla_part_fixed();
"""
UNDO = "DROP TRIGGER sla_definition_fixed ON sla_definition"


def ship(apps: Any, schema_editor: Any) -> None:
    calendar_defaults.seed(apps)
    billing_defaults.seed(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("sla", "0008_report"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Definition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("category", models.CharField(max_length=20, verbose_name="category")),
                ("description_zh", models.CharField(max_length=200, verbose_name="definition in Chinese")),
                ("description_en", models.CharField(max_length=200, verbose_name="definition in English")),
            ],
            options={
                "verbose_name": "definition of a category",
                "verbose_name_plural": "definitions of a category",
            },
        ),
        migrations.AlterModelOptions(
            name="calendar",
            options={
                "ordering": ["-is_default", "code"],
                "verbose_name": "calendar",
                "verbose_name_plural": "calendars",
            },
        ),
        migrations.AlterModelOptions(
            name="calendarversion",
            options={"verbose_name": "calendar version", "verbose_name_plural": "calendar versions"},
        ),
        migrations.AlterModelOptions(
            name="impact",
            options={
                "ordering": ["rank"],
                "verbose_name": "answer about the impact",
                "verbose_name_plural": "answers about the impact",
            },
        ),
        migrations.AddField(
            model_name="calendarversion",
            name="known_until",
            field=models.DateField(blank=True, null=True, verbose_name="holidays known until"),
        ),
        migrations.AddField(
            model_name="impact",
            name="category",
            field=models.CharField(blank=True, max_length=20, verbose_name="category"),
        ),
        migrations.AlterField(
            model_name="calendar",
            name="code",
            field=models.SlugField(max_length=20, unique=True, verbose_name="code"),
        ),
        migrations.AlterField(
            model_name="calendar",
            name="is_default",
            field=models.BooleanField(default=False, verbose_name="default"),
        ),
        migrations.AlterField(
            model_name="calendarversion",
            name="calendar",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="sla.calendar",
                verbose_name="calendar",
            ),
        ),
        migrations.AlterField(
            model_name="calendarversion",
            name="zone",
            field=models.CharField(max_length=64, verbose_name="time zone"),
        ),
        migrations.AlterField(
            model_name="impact",
            name="hint_en",
            field=models.CharField(max_length=200, verbose_name="explanation in English"),
        ),
        migrations.AlterField(
            model_name="impact",
            name="hint_zh",
            field=models.CharField(max_length=200, verbose_name="explanation in Chinese"),
        ),
        migrations.AddConstraint(
            model_name="calendarversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("author", None), models.Q(("author", models.F("approver")), _negated=True), _connector="OR"
                ),
                name="calendar_second_person",
            ),
        ),
        migrations.AddField(
            model_name="definition",
            name="policy",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="definitions", to="sla.policyversion"
            ),
        ),
        migrations.AddField(
            model_name="definition",
            name="priority",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, to="sla.priority", verbose_name="priority"
            ),
        ),
        migrations.AddConstraint(
            model_name="definition",
            constraint=models.UniqueConstraint(fields=("policy", "category", "priority"), name="one_definition"),
        ),
        migrations.RunSQL(SQL, UNDO),
        migrations.RunPython(ship, migrations.RunPython.noop),
        # Later migrations change these tables: nothing of this one may wait to be checked.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
    ]
