"""Which queues there are and who works off what they bring. Without the SDK: web and pulse ask this too."""

from dataclasses import dataclass

from awsint.models import Hub

# Who works off what a queue brought: (message, at) -> inbox.Outcome.
HANDLERS = {"support": "awsint.pushed.take", "health": "awsint.health_pushed.take"}
# Where a hub keeps the addresses of a queue and of its dead queue.
ADDRESSES = {
    "support": ("queue_url", "dead_queue_url"),
    "health": ("health_queue_url", "health_dead_queue_url"),
}


@dataclass(frozen=True)
class Source:
    """A queue of a hub."""

    hub: Hub
    name: str

    @property
    def url(self) -> str:
        return str(getattr(self.hub, ADDRESSES[self.name][0]))

    @property
    def dead_url(self) -> str:
        return str(getattr(self.hub, ADDRESSES[self.name][1]))


def sources() -> list[Source]:
    """Every queue that somebody works off. One statement."""
    hubs = Hub.objects.filter(is_active=True).order_by("pk")
    return [source for hub in hubs for name in HANDLERS if (source := Source(hub, name)).url]


def wanted() -> bool:
    """Whether there is anything to receive. One statement."""
    return bool(sources())
