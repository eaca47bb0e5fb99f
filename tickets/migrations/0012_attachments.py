"""What people attach: a row for each file, whose key in the storage is its own."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0011_released"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("stored", models.UUIDField(db_index=True)),
                ("name", models.CharField(max_length=200)),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("png", "picture"),
                            ("jpeg", "picture"),
                            ("gif", "picture"),
                            ("webp", "picture"),
                            ("pdf", "PDF"),
                            ("text", "text"),
                            ("markup", "web page or drawing"),
                            ("office", "office document"),
                            ("zip", "archive"),
                            ("gzip", "archive"),
                            ("mp4", "video"),
                            ("program", "program"),
                            ("other", "file"),
                        ],
                        max_length=10,
                    ),
                ),
                ("size", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField()),
                (
                    "preview",
                    models.CharField(
                        choices=[
                            ("none", "no preview"),
                            ("wanted", "preview on its way"),
                            ("made", "preview"),
                            ("failed", "no preview possible"),
                        ],
                        default="none",
                        max_length=10,
                    ),
                ),
                ("pages", models.PositiveSmallIntegerField(default=0)),
                ("width", models.PositiveSmallIntegerField(default=0)),
                ("height", models.PositiveSmallIntegerField(default=0)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(null=True)),
                (
                    "message",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tickets.message",
                    ),
                ),
                (
                    "uploader",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["message"], name="files_of_message"),
                    models.Index(fields=["uploader", "created_at"], name="files_of_uploader"),
                    models.Index(condition=models.Q(("message", None)), fields=["created_at"], name="files_not_sent"),
                    models.Index(
                        condition=models.Q(("preview", "wanted")), fields=["next_try_at"], name="files_to_draw"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "type__in",
                                [
                                    "png",
                                    "jpeg",
                                    "gif",
                                    "webp",
                                    "pdf",
                                    "text",
                                    "markup",
                                    "office",
                                    "zip",
                                    "gzip",
                                    "mp4",
                                    "program",
                                    "other",
                                ],
                            )
                        ),
                        name="known_type",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("preview", "wanted"), _negated=True),
                            ("next_try_at__isnull", False),
                            _connector="OR",
                        ),
                        name="wanted_has_a_time",
                    ),
                ],
            },
        ),
    ]
