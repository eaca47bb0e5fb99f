"""The door at which Amazon SES says, through SNS, what became of our letters (`/mail/ses/events/`).

Closed unless settings.SES_EVENTS names topics. Whoever knocks must know the secret that stands in the subscription's
address, then be SNS itself with a topic of ours (helpdesk/outbox/sns.py). Who is refused is not told why; the log is.
"""

import base64
import logging

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from helpdesk import mail_events
from helpdesk.outbox import sns
from helpdesk.outbox.amazon import Unreachable

log = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def ses(request: HttpRequest) -> HttpResponse:
    """200 where there is no need to come again, 503 where there is."""
    if not settings.SES_EVENTS["topics"]:
        raise Http404
    if not _knows_the_secret(request):
        # SNS says it only where it was asked for it.
        return _answer(401, {"WWW-Authenticate": 'Basic realm="mail events"'})
    body = request.read(sns.MOST_BYTES + 1)
    if len(body) > sns.MOST_BYTES:
        return _answer(413)
    try:
        return _taken(body)
    except sns.Forged as forged:
        log.warning("a notice of Amazon SES was refused: %s", forged)
        return _answer(403)
    except (Unreachable, mail_events.NotYet) as trouble:
        log.warning("a notice of Amazon SES has to come again: %s", trouble or "its letter is not known yet")
        return _answer(503)


def _taken(body: bytes) -> HttpResponse:
    at = timezone.now()
    notice = sns.checked(body, at)
    if notice.kind == "SubscriptionConfirmation":
        sns.confirm(notice)
        log.warning("the subscription to %s was confirmed", notice.topic)
    elif notice.kind == "UnsubscribeConfirmation":
        log.error("the subscription to %s was ended: nothing is known of deliveries from now on", notice.topic)
    else:
        mail_events.take(notice, at=at)
    return _answer(200)


def _knows_the_secret(request: HttpRequest) -> bool:
    way, _, said = request.headers.get("Authorization", "").partition(" ")
    wanted = base64.b64encode(settings.SES_EVENTS["secret"].encode()).decode()
    return way.lower() == "basic" and constant_time_compare(said.strip(), wanted)


def _answer(status: int, headers: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(status=status, headers=headers or {}, content_type="text/plain")
