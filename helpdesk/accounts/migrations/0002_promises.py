"""Staff have no membership, at commit; and the table that counts attempts, which may be lost in a crash."""

from django.db import migrations

SQL = """
CREATE FUNCTION accounts_one_side() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    person bigint;
BEGIN
    IF TG_TABLE_NAME = 'accounts_user' THEN
        person := NEW.id;
    ELSE
        person := NEW.user_id;
    END IF;
    IF EXISTS (
        SELECT 1 FROM accounts_user u JOIN accounts_membership m ON m.user_id = u.id
        WHERE u.id = person AND u.staff_role IS NOT NULL AND m.is_active
    ) THEN
        RAISE EXCEPTION 'person % is staff and belongs to a customer', person USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER accounts_user_one_side AFTER INSERT OR UPDATE OF staff_role ON accounts_user
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION accounts_one_side();
CREATE CONSTRAINT TRIGGER accounts_membership_one_side AFTER INSERT OR UPDATE ON accounts_membership
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION accounts_one_side();
CREATE UNLOGGED TABLE accounts_limit (
    key text PRIMARY KEY,
    hits integer NOT NULL,
    until timestamptz NOT NULL
);
"""
UNDO = """
DROP TABLE accounts_limit;
DROP TRIGGER accounts_membership_one_side ON accounts_membership;
DROP TRIGGER accounts_user_one_side ON accounts_user;
DROP FUNCTION accounts_one_side();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunSQL(SQL, UNDO)]
