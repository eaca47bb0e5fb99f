"""History is only ever added to; and whoever adds holds a shared lock from before the id is drawn until commit."""

from django.db import migrations

# The number is arbitrary and must stay: the sealer takes the same one exclusively.
SQL = """
CREATE FUNCTION audit_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'history is only ever added to: % on %', TG_OP, TG_TABLE_NAME;
END $$;
CREATE TRIGGER audit_entry_fixed BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_refuse();
CREATE TRIGGER audit_entry_kept BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_refuse();
CREATE FUNCTION audit_entry_lock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7240151);
    RETURN NULL;
END $$;
CREATE TRIGGER audit_entry_ordered BEFORE INSERT ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_lock();
"""
UNDO = """
DROP TRIGGER audit_entry_ordered ON audit_entry;
DROP TRIGGER audit_entry_kept ON audit_entry;
DROP TRIGGER audit_entry_fixed ON audit_entry;
DROP FUNCTION audit_entry_lock();
DROP FUNCTION audit_entry_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunSQL(SQL, UNDO)]
