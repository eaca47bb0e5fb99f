"""What was promised stays as it was: rows are added, never changed or removed."""

from django.db import migrations

SQL = """
CREATE FUNCTION docs_version_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a document that was frozen stays as it is';
END $$;
CREATE TRIGGER docs_documentversion_fixed BEFORE UPDATE OR DELETE ON docs_documentversion
    FOR EACH ROW EXECUTE FUNCTION docs_version_fixed();
"""
UNDO = """
DROP TRIGGER docs_documentversion_fixed ON docs_documentversion;
DROP FUNCTION docs_version_fixed();
"""


class Migration(migrations.Migration):
    dependencies = [("docs", "0001_initial")]
    operations = [migrations.RunSQL(SQL, UNDO)]
