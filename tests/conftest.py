"""What every test stands on: the cast, and plain static files."""

import gc
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import pytest_django
from django.db import connection

from helpdesk import site
from helpdesk.models import SiteSettings
from tests import emptying, tables
from tests.cast import Cast, assemble

# What takes long in one piece, the longest first: begun last, it would leave one core waiting for the other. The races
# need no desk, and are run while the desk is made that all the stories begin with.
LONG = (
    "test_payloads",
    "test_races",
    # At one desk (stories/day_desk), before it tells of what is due in a quarter of an hour.
    "test_news_comes_to_whoever_it_concerns",
    "test_everybody_can_use_it",
    "test_colleagues_see_each_other_on_a_ticket",
    "test_what_is_typed_outlives_the_session",
    "test_an_engineer_works_with_one_hand_on_the_keys",
    "test_an_engineer_tidies_the_queue",
    # At another (stories/people_desk): the first looks for nothing above its ticket, the second kills at the end.
    "test_a_problem_goes_from_the_browser_to_closed",
    "test_files_arrive_from_a_browser_and_nothing_typed_is_lost",
    "test_what_is_killed_comes_back",
    "test_matrix",
    "test_many_look_at_one_clock",
    "test_r07_the_mail_server_fails",
    "test_api_contract",
    "test_faults",
)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays until the end: Python does not look through it for garbage again and again.

    That took about a seventh of the tests' time and a third of the start's.
    """
    gc.disable()
    result = yield
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()
    return result


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A process takes a file at a time, and the stories of one desk all together."""
    from xdist.scheduler import LoadFileScheduling

    class Desks(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::", 1)[0]
            folder = file.rpartition("/")[0]
            return folder if folder.endswith("_desk") else file

    return Desks(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_configure(config: pytest.Config) -> None:
    """The process that hands out the tests keeps a folder for all: where the stories' desks begin (stories/desk.py)."""
    if not hasattr(config, "workerinput"):
        folder = Path(tempfile.mkdtemp(prefix="helpdesk-first-"))
        # Not closed to PostgreSQL's user where we are root.
        folder.chmod(0o755)
        os.environ["HELPDESK_FIRST_STARTS"] = str(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ["HELPDESK_FIRST_STARTS"], ignore_errors=True)


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def committed(transactional_db: None) -> None:
    """A database whose writes are real commits, for several connections at once."""


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> None:
    """Where several processes share our own server, the tables of one are copied for the others."""
    if "PYTEST_XDIST_WORKER" in os.environ and "HELPDESK_TESTS_OWN_SERVER" in os.environ:
        with django_db_blocker.unblock():
            connection.settings_dict["TEST"]["TEMPLATE"] = tables.make_once()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> None:
    """What the migrations wrote returns after each test with real commits."""
    with django_db_blocker.unblock():
        emptying.keep()


@pytest.fixture(autouse=True)
def the_site_is_known() -> None:
    """As in a process that has just read it: no test counts the statement that asks for it every five seconds."""
    site.hold(SiteSettings(default_language="en"))


@pytest.fixture(autouse=True)
def plain_static_files(settings: Any) -> None:
    """Tests need no collected files: names stay without hashes."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
