"""What the poll of AWS Health found and push had missed: which events, and in which regions push does not work.

A rule of EventBridge stands in a region and fails there, so a region is one trouble, however many events it missed. It
is over once push brings a new event of that region, or has missed none for a day.
"""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from awsint.models import HealthEvent, HealthMessage
from awsint.sources import sources

# What is listed and counted, and for how long a region is troubled by the last that was missed there.
LISTED, TROUBLED = timedelta(days=30), timedelta(days=1)
QUEUE = "health"


def missed(at: datetime) -> Exists:
    """Whether push missed something of an event in the last thirty days, as a condition."""
    rows = HealthMessage.objects.filter(event=OuterRef("pk"), missed=True, received_at__gt=at - LISTED)
    return Exists(rows)


def events(rows: QuerySet[HealthEvent], at: datetime) -> QuerySet[HealthEvent]:
    """Those of the events of which push missed something. By the few messages that were, not by the many events."""
    found = HealthMessage.objects.filter(missed=True, received_at__gt=at - LISTED).values("event")
    return rows.filter(pk__in=found)


# --- Regions ---------------------------------------------------------------------------------------------------------

REGIONS = """
SELECT DISTINCT e.partition || ':' || e.region
FROM awsint_healthmessage m JOIN awsint_healthevent e ON e.id = m.event_id
WHERE m.missed AND m.received_at > %(since)s AND e.partition = ANY(%(partitions)s) AND NOT EXISTS (
    SELECT 1 FROM awsint_healthevent p WHERE p.via = 'push' AND p.partition = e.partition AND p.region = e.region
    AND p.seen_at > m.received_at)
ORDER BY 1
"""


def regions(at: datetime) -> list[str]:
    """ "aws:us-east-1": where push is to work and missed what the poll found. Two statements, one without a queue."""
    partitions = list({source.hub.partition for source in sources() if source.name == QUEUE})
    if not partitions:
        return []
    with connection.cursor() as cursor:
        cursor.execute(REGIONS, {"since": at - TROUBLED, "partitions": partitions})
        return [key for (key,) in cursor.fetchall()]


def of_regions(keys: list[str], at: datetime) -> QuerySet[HealthEvent]:
    """What was missed there in the last day, the newest first."""
    rows = HealthMessage.objects.filter(missed=True, received_at__gt=at - TROUBLED).values("event")
    found = HealthEvent.objects.filter(pk__in=rows, region__in=[key.partition(":")[2] for key in keys])
    return found.order_by("-seen_at", "-pk")
