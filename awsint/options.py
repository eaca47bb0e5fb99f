"""What an account may choose for a case, asked of AWS once a day: plans have names that change, levels do not lie."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.cache import cache

from awsint import calls, client
from awsint.client import SupportApi, Turn
from awsint.models import Account
from awsint.shapes import Calls

DAY_S = 24 * 3600


def severities(account: Account, at: datetime) -> list[str]:
    """Codes that the account offers, the lowest first; kept with the account. Raises AwsError."""
    codes: list[str] = _kept(account, "severities", at, lambda api: [one.code for one in api.severities()])
    if codes != account.severities:
        account.severities, account.severities_at = codes, at
        account.save(update_fields=["severities", "severities_at"])
    return codes


def services(account: Account, language: str, at: datetime) -> list[dict[str, Any]]:
    """Services with their categories, by name. Raises AwsError."""
    code = "zh" if language.startswith("zh") else "en"
    found = _kept(account, f"services:{code}", at, lambda api: api.services(code))
    return sorted(found, key=lambda one: str(one["name"]))


def languages(account: Account, service: str, category: str, at: datetime) -> list[str]:
    """Codes of the languages that AWS answers in there. Raises AwsError."""
    if not service or not category:
        return ["zh", "en"]
    codes: list[str] = _kept(
        account, f"languages:{service}:{category}", at, lambda api: api.languages(service, category)
    )
    return codes


def _kept(account: Account, what: str, at: datetime, ask: Callable[[SupportApi], Any]) -> Any:
    key = f"aws:{account.pk}:{what}"
    known = cache.get(key)
    if known is None:
        made = Calls()
        try:
            known = ask(client.support(account.place, made, at=at, turn=Turn.PERSON))
        finally:
            calls.store(made)
        cache.set(key, known, DAY_S)
    return known
