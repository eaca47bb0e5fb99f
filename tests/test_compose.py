"""The compose file and the image say what the desk understands. No image is built here: both are read and compared."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class

from helpdesk import settings as ours

ROOT = Path(__file__).resolve().parent.parent
PINNED = re.compile(r"^([a-z0-9.-]+)==(\S+)", re.M)
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ASKED = re.compile(r"\$\{(\w+):([-?])([^}]*)\}")
DESK = ["prepare", "web", "worker", "mail"]


def filled(text: str, **given: str) -> str:
    """What Docker makes of ${NAME:-default}; a ${NAME:?word} that is not given is left to fail."""

    def fill(found: re.Match[str]) -> str:
        name, how, rest = found.groups()
        assert how == "-" or name in given, f"{name} must be given: {rest}"
        return given.get(name, rest)

    return ASKED.sub(fill, text)


def environment(service: str) -> dict[str, str]:
    found: dict[str, Any] = SERVICES[service]["environment"]
    return {name: filled(str(value), POSTGRES_PASSWORD="x" * 48) for name, value in found.items()}


def test_a_desk_a_worker_a_database_and_a_catcher() -> None:
    assert set(SERVICES) == {"prepare", "web", "worker", "db", "mail"}


@pytest.mark.parametrize("name", [n for n in DESK if n != "web"])
def test_each_command_is_one_of_the_desk_with_options_it_knows(name: str) -> None:
    python, manage, command, *options = SERVICES[name]["command"]
    assert (python, manage) == ("python", "manage.py")
    parser = load_command_class(get_commands()[command], command).create_parser("manage.py", command)
    parser.parse_args(options)


def test_the_web_server_is_the_images_own_command_on_the_published_port() -> None:
    said = re.search(r"^CMD \[(.+)\]$", DOCKERFILE, re.M)
    assert said
    words = [w.strip().strip('"') for w in said[1].split(",")]
    assert words[0] == "gunicorn"
    assert words[words.index("-c") + 1] == "python:helpdesk.gunicorn_conf"
    port = words[words.index("-b") + 1].rpartition(":")[2]
    assert f"EXPOSE {port}" in DOCKERFILE
    assert SERVICES["web"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f"127.0.0.1:{port}/healthz" in " ".join(SERVICES["web"]["healthcheck"]["test"])
    assert environment("web")["SITE_URL"].endswith(f":{port}")


def test_every_variable_is_one_that_the_settings_read_and_the_readme_explains() -> None:
    read = set(re.findall(r'environ\.get\("(\w+)"', (ROOT / "helpdesk" / "settings.py").read_text()))
    for name in environment("web"):
        assert name in read, name
        for readme in ("README.md", "README.zh.md"):
            assert f"`{name}`" in (ROOT / readme).read_text(), (readme, name)


def test_the_addresses_in_it_are_understood() -> None:
    given = environment("web")
    database = ours.database(given["DATABASE_URL"])
    assert (database["HOST"], database["NAME"], database["USER"]) == ("db", "helpdesk", "helpdesk")
    stored = SERVICES["db"]["environment"]
    assert (stored["POSTGRES_DB"], stored["POSTGRES_USER"]) == (database["NAME"], database["USER"])
    mail = ours.mail(given["EMAIL_URL"])
    options = SERVICES["mail"]["command"]
    assert (mail["host"], str(mail["port"])) == ("mail", options[options.index("--port") + 1])


def test_nobody_elsewhere_reaches_it_and_no_secret_stands_in_it() -> None:
    published = [port for s in SERVICES.values() for port in s.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in published)
    with pytest.raises(AssertionError, match="POSTGRES_PASSWORD"):
        filled(str(SERVICES["db"]["environment"]["POSTGRES_PASSWORD"]))
    assert environment("web")["SECRET_KEY"] == ""


def test_each_waits_for_what_it_needs_and_keeps_what_it_writes() -> None:
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", {})) <= set(SERVICES), name
        assert {v.partition(":")[0] for v in service.get("volumes", [])} <= set(COMPOSE["volumes"]), name
    assert SERVICES["web"]["depends_on"]["prepare"]["condition"] == "service_completed_successfully"
    assert SERVICES["prepare"]["depends_on"]["db"]["condition"] == "service_healthy"
    assert f"HELPDESK_DATA={SERVICES['web']['volumes'][0].partition(':')[2]}" in DOCKERFILE


def test_the_image_takes_locked_packages_and_runs_as_nobody_in_particular() -> None:
    lines = [line for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
    install = next(line for line in lines if "pip install" in line)
    assert "--require-hashes -r requirements-image.lock" in install
    assert lines.index("COPY requirements-image.lock .") < lines.index(install) < lines.index("COPY . .")
    assert [line for line in lines if line.startswith("USER ")] == ["USER desk"]
    assert lines.index("USER desk") < next(n for n, line in enumerate(lines) if line.startswith("CMD"))
    version = re.search(r"^FROM python:(\d+)\.(\d+)", DOCKERFILE, re.M)
    assert version
    assert (int(version[1]), int(version[2])) >= (3, 11)


def test_the_image_has_the_versions_that_are_tested_and_no_simulator() -> None:
    image, tested = (dict(PINNED.findall((ROOT / f"requirements{n}.lock").read_text())) for n in ("-image", ""))
    assert image.items() <= tested.items()
    assert {"django", "boto3", "aiosmtpd"} <= set(image)
    assert "moto" in tested
    assert "moto" not in image


def test_what_is_private_here_stays_out_of_the_image() -> None:
    left_out = (ROOT / ".dockerignore").read_text().split()
    assert {".data", ".env", ".git", ".venv"} <= set(left_out)
