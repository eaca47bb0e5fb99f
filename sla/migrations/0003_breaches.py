import django.db.models.deletion
from django.db import migrations, models

# A broken promise stays written down; so does a warning.
SQL = """
CREATE FUNCTION sla_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'breaches and warnings are only ever added: % on %', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER sla_breach_fixed BEFORE UPDATE OR DELETE ON sla_breach
    FOR EACH ROW EXECUTE FUNCTION sla_kept();
CREATE TRIGGER sla_breach_kept BEFORE TRUNCATE ON sla_breach
    FOR EACH STATEMENT EXECUTE FUNCTION sla_kept();
CREATE TRIGGER sla_warning_fixed BEFORE UPDATE OR DELETE ON sla_warning
    FOR EACH ROW EXECUTE FUNCTION sla_kept();
CREATE TRIGGER sla_warning_kept BEFORE TRUNCATE ON sla_warning
    FOR EACH STATEMENT EXECUTE FUNCTION sla_kept();
"""
UNDO = """
DROP TRIGGER sla_warning_kept ON sla_warning;
DROP TRIGGER sla_warning_fixed ON sla_warning;
DROP TRIGGER sla_breach_kept ON sla_breach;
DROP TRIGGER sla_breach_fixed ON sla_breach;
DROP FUNCTION sla_kept();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_members_see_all"),
        ("sla", "0002_promises"),
    ]

    operations = [
        migrations.CreateModel(
            name="Breach",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.CharField(max_length=80)),
                (
                    "kind",
                    models.CharField(
                        choices=[("response", "First response"), ("resolution", "Resolution")], max_length=12
                    ),
                ),
                ("priority", models.CharField(max_length=20)),
                ("target_s", models.PositiveIntegerField()),
                ("policy", models.PositiveIntegerField()),
                ("due_at", models.DateTimeField()),
                ("breached_at", models.DateTimeField()),
                ("detected_at", models.DateTimeField()),
                ("cause", models.CharField(blank=True, max_length=30)),
                (
                    "clock",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="breach", to="sla.clock"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.customer",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["subject"], name="breaches_of_subject")],
            },
        ),
        migrations.CreateModel(
            name="Warning",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("target_s", models.PositiveIntegerField()),
                ("percent", models.PositiveSmallIntegerField()),
                ("at", models.DateTimeField()),
                ("detected_at", models.DateTimeField()),
                ("superseded", models.BooleanField(default=False)),
                (
                    "clock",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="warnings",
                        to="sla.clock",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("clock", "target_s", "percent"), name="warned_once")],
            },
        ),
        migrations.RunSQL(SQL, UNDO),
    ]
