"""Decisions are only ever added to; and what tickets of before weigh and who handled them is reckoned once."""

from django.db import migrations

SQL = """
CREATE FUNCTION tickets_decision_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'decisions are only ever added to: % on %', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER tickets_decision_fixed BEFORE UPDATE OR DELETE ON tickets_assignmentdecision
    FOR EACH ROW EXECUTE FUNCTION tickets_decision_refuse();
CREATE TRIGGER tickets_decision_kept BEFORE TRUNCATE ON tickets_assignmentdecision
    FOR EACH STATEMENT EXECUTE FUNCTION tickets_decision_refuse();
INSERT INTO tickets_load (user_id, points, last_assigned_at)
    SELECT t.assigned_to_id,
        sum(CASE WHEN t.status NOT IN ('new', 'in_progress') THEN 0
            ELSE CASE p.rank WHEN 1 THEN 8 WHEN 2 THEN 4 WHEN 3 THEN 2 ELSE 1 END END),
        max(t.created_at)
    FROM tickets_ticket t JOIN sla_priority p ON p.code = t.priority
    WHERE t.assigned_to_id IS NOT NULL GROUP BY 1;
INSERT INTO tickets_handled (customer_id, user_id, last_at)
    SELECT customer_id, assigned_to_id, max(last_event_at) FROM tickets_ticket
    WHERE assigned_to_id IS NOT NULL AND status <> 'new' GROUP BY 1, 2;
"""
UNDO = """
DROP TRIGGER tickets_decision_kept ON tickets_assignmentdecision;
DROP TRIGGER tickets_decision_fixed ON tickets_assignmentdecision;
DROP FUNCTION tickets_decision_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("tickets", "0009_assignment"), ("sla", "0002_promises")]
    operations = [migrations.RunSQL(SQL, UNDO)]
