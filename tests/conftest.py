"""What every test stands on: the cast, and plain static files."""

from typing import Any

import pytest
from django.apps import apps

from sla.defaults import seed
from tests.cast import Cast, assemble


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def committed(transactional_db: None) -> None:
    """A database whose writes are real commits, for several connections at once; it starts as migrations leave it."""
    seed(apps)


@pytest.fixture(autouse=True)
def plain_static_files(settings: Any) -> None:
    """Tests need no collected files: names stay without hashes."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
