"""What was promised, word for word: a document as it was rendered and approved, kept as long as the desk."""

from django.db import models

from helpdesk.accounts.models import Language, User
from sla.models import PolicyVersion


class DocumentVersion(models.Model):
    """One document in one language under one policy version. Only ever added: a trigger refuses the rest."""

    name = models.CharField(max_length=60)
    language = models.CharField(max_length=10, choices=Language.choices)
    policy = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="documents")
    html = models.TextField()
    sha256 = models.CharField(max_length=64)
    # Null where the version came with the desk.
    author = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    approver = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    frozen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "language", "policy"], name="one_text_per_version"),
            models.CheckConstraint(
                condition=models.Q(author=None) | ~models.Q(author=models.F("approver")), name="document_second_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.language} {self.policy_id}"
