"""Decisions hold what was asked and how everybody fared as they were written, in rows under one head."""

from django.db import migrations

import tickets.models.people

SQL = """
CREATE FUNCTION tickets_candidate_rows(old jsonb) RETURNS json LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN old = '[]' THEN '{}' WHEN jsonb_typeof(old) = 'object' THEN old::json ELSE json_build_object(
    'columns', json_build_array('user', 'excluded', 'tier', 'skill', 'load', 'shift', 'affinity', 'total'),
    'rows', (
        SELECT json_agg(CASE WHEN c ? 'excluded' THEN json_build_array(c->'user', c->'excluded') ELSE json_build_array(
            c->'user', '', c->'tier', c->'parts'->'skill', c->'parts'->'load', c->'parts'->'shift',
            c->'parts'->'affinity', c->'total') END ORDER BY n)
        FROM jsonb_array_elements(old) WITH ORDINALITY AS x (c, n))) END
$$;
ALTER TABLE tickets_assignmentdecision
    ALTER inputs TYPE json USING inputs::json,
    ALTER candidates TYPE json USING tickets_candidate_rows(candidates);
DROP FUNCTION tickets_candidate_rows(jsonb);
"""
STATE = [
    migrations.AlterField("assignmentdecision", name, tickets.models.people.Told(default=dict))
    for name in ("inputs", "candidates")
]


class Migration(migrations.Migration):
    dependencies = [("tickets", "0021_aws")]
    operations = [migrations.RunSQL(SQL, state_operations=STATE)]
