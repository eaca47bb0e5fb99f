"""`manage.py sla_freeze --month 2026-10`: freezes a month now, for everybody or for one customer."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from helpdesk.accounts.models import Customer
from sla.months import Month
from tickets import freezing


class Command(BaseCommand):
    help = "Freezes the reports and credits of a month that is over. What is frozen already stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--month", required=True, help="like 2026-10")
        parser.add_argument("--customer", default="", help="the code of one customer")

    def handle(self, *, month: str, customer: str, **more: Any) -> None:
        at = timezone.now()
        try:
            wanted = Month.read(month)
        except ValueError:
            raise CommandError(f"--month {month}: write a month like 2026-10.", returncode=2) from None
        rows = freezing.wanting(wanted)
        if customer:
            known = Customer.objects.filter(code=customer).first()
            if known is None:
                raise CommandError(f"--customer {customer}: there is no customer of this code.", returncode=2)
            rows = rows.filter(pk=known.pk)
        if over := [zone for zone in rows.values_list("zone", flat=True).distinct() if wanted.window(zone).until > at]:
            raise CommandError(f"--month {month}: it is not over yet in {over[0]}.", returncode=2)
        self.freeze(list(rows), wanted)

    def freeze(self, customers: list[Customer], month: Month) -> None:
        made = 0
        for start in range(0, len(customers), freezing.SLICE):
            some = customers[start : start + freezing.SLICE]
            made += len(freezing.freeze(some, month, timezone.now()))
            if sys.stderr.isatty():
                self.stderr.write(f"\r{start + len(some)} of {len(customers)} customers", ending="")
        self.stdout.write(f"{month}: {made} reports frozen")
