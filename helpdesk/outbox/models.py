"""What leaves the building: a row written in the transaction of its cause, sent later by a worker.

A letter names a person by key and an address, and what it is about by code; its words are made from templates when
it is sent, in the reader's language and zone. Links that grant a login are stored encrypted in `secret` and blanked
once sent.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Letter(models.Model):
    class State(models.TextChoices):
        HELD = "held", _("held")
        READY = "ready", _("ready")
        SENT = "sent", _("sent")
        CANCELLED = "cancelled", _("cancelled")

    kind = models.CharField(max_length=60)
    channel = models.CharField(max_length=20, default="mail")
    to_key = models.CharField(max_length=80)
    to_address = models.CharField(max_length=254)
    # Who gets it as a copy: objects of key and address. One mail, so that everybody sees who else has it.
    cc = models.JSONField(default=list)
    language = models.CharField(max_length=10)
    zone = models.CharField(max_length=64)
    subject = models.CharField(max_length=80, blank=True)
    customer = models.UUIDField(null=True)
    data = models.JSONField(default=dict)
    secret = models.TextField(blank=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.READY)
    # A held letter is ready from then on, unless what holds it ("message:77") is taken back before.
    release_at = models.DateTimeField(null=True)
    held_for = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["subject", "id"], name="letters_of_subject"),
            models.Index(fields=["id"], condition=models.Q(state="ready"), name="letters_ready"),
            models.Index(fields=["release_at"], condition=models.Q(state="held"), name="letters_held"),
        ]
