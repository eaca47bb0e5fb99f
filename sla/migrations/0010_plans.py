"""Plans with calendars of their own, which customer has which from when until when, and priorities that retire."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

# A customer has one plan at a time. An exclusion constraint would need an extension, which the database of a partner
# may not have; the lock on the customer's row lets two writers take turns, and the second sees what the first wrote.
SQL = """
CREATE FUNCTION sla_one_plan_at_a_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM accounts_customer WHERE id = NEW.customer_id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT FROM sla_planassignment WHERE customer_id = NEW.customer_id AND id <> NEW.id
        AND tstzrange(from_at, until_at) && tstzrange(NEW.from_at, NEW.until_at)
    ) THEN
        RAISE EXCEPTION 'a customer has one plan at a time' USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sla_planassignment_alone BEFORE INSERT OR UPDATE ON sla_planassignment
    FOR EACH ROW EXECUTE FUNCTION sla_one_plan_at_a_time();
"""
UNDO = """
DROP TRIGGER sla_planassignment_alone ON sla_planassignment;
DROP FUNCTION sla_one_plan_at_a_time();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_no_mail"),
        ("sla", "0009_calendars_and_billing"),
    ]

    operations = [
        migrations.CreateModel(
            name="PlanAssignment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("from_at", models.DateTimeField(verbose_name="from")),
                ("until_at", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plans",
                        to="accounts.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="sla.plan",
                        verbose_name="plan",
                    ),
                ),
            ],
            options={
                "verbose_name": "plan of a customer",
                "verbose_name_plural": "plans of customers",
                "indexes": [
                    models.Index(
                        condition=models.Q(("until_at__isnull", False)),
                        fields=["until_at", "id"],
                        name="plans_that_end",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("until_at", None), ("until_at__gt", models.F("from_at")), _connector="OR"),
                        name="plan_ends_after_it_begins",
                    )
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="plan",
            options={"ordering": ["-is_default", "code"], "verbose_name": "plan", "verbose_name_plural": "plans"},
        ),
        migrations.AlterModelOptions(
            name="priority",
            options={
                "ordering": ["rank", "retired", "code"],
                "verbose_name": "priority",
                "verbose_name_plural": "priorities",
            },
        ),
        migrations.AddField(
            model_name="plan",
            name="calendar",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="sla.calendar",
                verbose_name="calendar",
            ),
        ),
        migrations.AddField(
            model_name="plan", name="retired", field=models.BooleanField(default=False, verbose_name="retired")
        ),
        migrations.AddField(
            model_name="priority", name="retired", field=models.BooleanField(default=False, verbose_name="retired")
        ),
        migrations.AlterField(
            model_name="plan",
            name="code",
            field=models.SlugField(max_length=20, unique=True, verbose_name="code"),
        ),
        migrations.AlterField(
            model_name="plan", name="is_default", field=models.BooleanField(default=False, verbose_name="default")
        ),
        migrations.AlterField(
            model_name="priority",
            name="code",
            field=models.SlugField(max_length=20, unique=True, verbose_name="code"),
        ),
        migrations.AlterField(
            model_name="priority",
            name="rank",
            field=models.PositiveSmallIntegerField(
                validators=[django.core.validators.MinValueValidator(1)], verbose_name="rank"
            ),
        ),
        migrations.AddConstraint(
            model_name="priority",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired", False)), fields=("rank",), name="one_priority_of_a_rank"
            ),
        ),
        migrations.RunSQL(SQL, UNDO),
    ]
