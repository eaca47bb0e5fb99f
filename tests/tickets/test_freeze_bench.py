"""What the bench measures of a freeze is a freeze, and nothing of it stays."""

from typing import Any

import pytest

from helpdesk.accounts.models import Customer
from helpdesk.bench import freezing
from sla.models import MonthReport

pytestmark = pytest.mark.django_db


def test_the_bench_freezes_as_many_as_it_says_and_leaves_nothing(cast: Any) -> None:
    taken = freezing.measured(customers=30)
    assert taken.customers == 30 + Customer.objects.count()
    assert taken.slices == 2
    assert not MonthReport.objects.exists()
    assert not Customer.objects.filter(code__startswith="BENCH").exists()
