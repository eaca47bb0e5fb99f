"""A document is frozen when its policy version is published: what was promised stays readable, word for word."""

from datetime import datetime

from django.db import transaction

from docs.models import DocumentVersion
from docs.render import LANGUAGES, NAMES, render
from helpdesk.accounts.models import User
from helpdesk.audit.record import Happening, record
from sla.actions import subject_of
from sla.models import PolicyVersion, State


@transaction.atomic
def freeze(*, policy: PolicyVersion, by: User, at: datetime) -> list[DocumentVersion]:
    """Stores the documents of a published version in every language, and of the one before where nobody did yet.

    Raises docs.render.Faulty where a text cannot be rendered; then nothing is published either.
    """
    earlier = PolicyVersion.objects.filter(state=State.PUBLISHED, number__lt=policy.number).order_by("-number")[:1]
    bare = [one for one in earlier if not one.documents.exists()]
    for one in bare:
        _store(one, at)
    kept = _store(policy, at)
    data = {"documents": {f"{row.name}.{row.language}": row.sha256 for row in kept}}
    record([Happening("policy.frozen", data)], by=by, at=at, subject=subject_of(policy.number))
    return kept


def _store(policy: PolicyVersion, at: datetime) -> list[DocumentVersion]:
    rows = []
    for name in NAMES:
        for language in LANGUAGES:
            made = render(name, language, policy, at)
            rows.append(
                DocumentVersion(
                    name=name,
                    language=language,
                    policy=policy,
                    html=made.html,
                    sha256=made.sha256,
                    author_id=policy.author_id,
                    approver_id=policy.approver_id,
                    frozen_at=at,
                )
            )
    return DocumentVersion.objects.bulk_create(rows)
