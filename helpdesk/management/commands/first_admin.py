"""`manage.py first_admin ADDRESS NAME`: the one account nobody can invite. Prints a link that sets its password."""

from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.utils import timezone

from helpdesk.accounts import actions
from helpdesk.accounts.models import Language, StaffRole, User
from helpdesk.audit.record import SYSTEM
from helpdesk.site import current


class Command(BaseCommand):
    help = "Makes the first administrator and prints a link, good once and for three days, that sets the password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address")
        parser.add_argument("name")
        parser.add_argument("--language", choices=Language.values, default=settings.DEFAULT_LANGUAGE)

    def handle(self, *, address: str, name: str, language: str, **options: Any) -> None:
        if User.objects.filter(staff_role=StaffRole.ADMIN, is_active=True).exists():
            raise CommandError("There is an administrator already: they invite everybody else.", returncode=2)
        try:
            validate_email(address)
        except ValidationError:
            raise CommandError(f"{address} is no mail address.", returncode=2) from None
        if User.objects.filter(email=address.lower()).exists():
            raise CommandError(f"There is a person with the address {address} already.", returncode=2)
        person = actions.create_person(
            email=address,
            name=name[:80],
            language=language,
            zone=current().default_zone,
            staff_role=StaffRole.ADMIN,
            by=SYSTEM,
            at=timezone.now(),
        )
        key = f"{user_pk_to_url_str(person)}-{default_token_generator.make_token(person)}"
        self.stdout.write(f"{settings.SITE_URL}/accounts/password/reset/key/{key}/")
