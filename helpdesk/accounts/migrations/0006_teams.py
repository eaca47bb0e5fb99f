"""Restricted customers and their teams."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_news"),
    ]

    operations = [
        migrations.CreateModel(
            name="CustomerTeam",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("named", models.BooleanField(default=False)),
            ],
        ),
        migrations.AddField(
            model_name="customer",
            name="restricted",
            field=models.BooleanField(
                default=False,
                help_text="Only leads, administrators and the engineers of its team see it.",
                verbose_name="restricted",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(condition=models.Q(("restricted", True)), fields=["id"], name="restricted_customers"),
        ),
        migrations.AddField(
            model_name="customerteam",
            name="customer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="team", to="accounts.customer"
            ),
        ),
        migrations.AddField(
            model_name="customerteam",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="teams",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="customerteam",
            constraint=models.UniqueConstraint(fields=("user", "customer"), name="once_on_a_team"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(condition=models.Q(("staff_role__isnull", False)), fields=["id"], name="colleagues"),
        ),
    ]
