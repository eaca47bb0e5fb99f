from typing import Any

import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models

from tickets.cutting import literal

AT_ONCE = 1000


def index_all(apps: Any, schema_editor: Any) -> None:
    """The subjects of the cases that were read so far, as they are searched."""
    case, last = apps.get_model("awsint", "SupportCase"), 0
    while rows := list(case.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "subject")[:AT_ONCE]):
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE awsint_supportcase SET words = %s::tsvector WHERE id = %s",
                [(literal(subject, "", ()), pk) for pk, subject in rows],
            )
        last = rows[-1][0]


class Migration(migrations.Migration):
    dependencies = [
        ("awsint", "0008_health_telling"),
    ]

    operations = [
        migrations.AddField(
            model_name="supportcase",
            name="words",
            field=django.contrib.postgres.search.SearchVectorField(null=True),
        ),
        migrations.RunPython(index_all, migrations.RunPython.noop),
        migrations.RemoveIndex(model_name="supportcase", name="cases_by_number"),
        migrations.AddIndex(
            model_name="supportcase",
            index=models.Index(fields=["-created_at", "-id"], name="cases_newest"),
        ),
        migrations.AddIndex(
            model_name="supportcase",
            index=models.Index(fields=["display_id"], name="cases_by_number", opclasses=["varchar_pattern_ops"]),
        ),
        migrations.AddIndex(
            model_name="supportcase",
            index=models.Index(fields=["case_id"], name="cases_by_case_id", opclasses=["varchar_pattern_ops"]),
        ),
        migrations.AddIndex(
            model_name="supportcase",
            index=django.contrib.postgres.indexes.GinIndex(fastupdate=False, fields=["words"], name="words_of_cases"),
        ),
    ]
