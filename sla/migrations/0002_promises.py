"""Submitted versions stand as they are, but for the step to the next state; then the defaults are written."""

from typing import Any

from django.db import migrations

from sla.defaults import seed

# What hangs on a version may come, change or go only while that version is a draft.
SQL = """
CREATE FUNCTION sla_version_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'draft' THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    IF TG_OP = 'UPDATE' AND (
        (OLD.state = 'submitted' AND NEW.state IN ('published', 'draft')
         AND to_jsonb(NEW) - '{state,approver_id,published_at,effective_at}'::text[]
           = to_jsonb(OLD) - '{state,approver_id,published_at,effective_at}'::text[])
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'version % of % is % and stays as it is', OLD.number, TG_TABLE_NAME, OLD.state;
END $$;
CREATE TRIGGER sla_policyversion_fixed BEFORE UPDATE OR DELETE ON sla_policyversion
    FOR EACH ROW EXECUTE FUNCTION sla_version_fixed();
CREATE TRIGGER sla_calendarversion_fixed BEFORE UPDATE OR DELETE ON sla_calendarversion
    FOR EACH ROW EXECUTE FUNCTION sla_version_fixed();
CREATE FUNCTION sla_part_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    version_state text;
BEGIN
    SELECT min(state) FILTER (WHERE state <> 'draft') INTO version_state FROM sla_policyversion
        WHERE id IN (OLD.policy_id, NEW.policy_id);
    IF version_state IS NOT NULL THEN
        RAISE EXCEPTION 'a version that is % stays as it is', version_state;
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER sla_target_fixed BEFORE INSERT OR UPDATE OR DELETE ON sla_target
    FOR EACH ROW EXECUTE FUNCTION sla_part_fixed();
CREATE TRIGGER sla_matrixcell_fixed BEFORE INSERT OR UPDATE OR DELETE ON sla_matrixcell
    FOR EACH ROW EXECUTE FUNCTION sla_part_fixed();
"""
UNDO = """
DROP TRIGGER sla_matrixcell_fixed ON sla_matrixcell;
DROP TRIGGER sla_target_fixed ON sla_target;
DROP FUNCTION sla_part_fixed();
DROP TRIGGER sla_calendarversion_fixed ON sla_calendarversion;
DROP TRIGGER sla_policyversion_fixed ON sla_policyversion;
DROP FUNCTION sla_version_fixed();
"""


def defaults(apps: Any, schema_editor: Any) -> None:
    seed(apps)


class Migration(migrations.Migration):
    dependencies = [("sla", "0001_initial")]
    operations = [
        migrations.RunPython(defaults, migrations.RunPython.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL(SQL, UNDO),
    ]
