"""When a message reaches the customer; those said before reached them at once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0010_loads")]
    operations = [
        migrations.AddField("message", "released_at", models.DateTimeField(null=True)),
        migrations.AddField("message", "undone_at", models.DateTimeField(null=True)),
        migrations.RunSQL("UPDATE tickets_message SET released_at = at", migrations.RunSQL.noop),
        # What the update left for the end of the transaction is in the way of the next line.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.AlterField("message", "released_at", models.DateTimeField()),
    ]
