"""`manage.py mail_server` as a process: it catches, whole files only, and ends when it is told."""

import re
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpdesk import mail_server
from tests.stories.desk import ROOT, environment, free_port, wait_for


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "mail_server", "--port", str(port)],
        cwd=ROOT,
        env=environment(tmp_path, 8000),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == f"Catching mail at smtp://127.0.0.1:{port}\n"
    yield port, tmp_path / "mail"
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    process.stdout.close()


def test_what_is_sent_lies_in_a_file_for_its_reader_alone(catcher: tuple[int, Path]) -> None:
    port, folder = catcher
    with smtplib.SMTP("127.0.0.1", port) as server:
        for number in range(3):
            server.sendmail("desk@desk.example", ["cora@acme.example"], f"Subject: {number}\r\n\r\nHello\r\n")
    wait_for("three mails", lambda: len(list(folder.glob("*.eml"))) == 3)
    found = [file.read_bytes() for file in sorted(folder.iterdir())]
    assert [re.findall(rb"Subject: (\d)", one) for one in found] == [[b"0"], [b"1"], [b"2"]]
    assert found[0].startswith(b"Return-Path: <desk@desk.example>\r\nDelivered-To: cora@acme.example\r\n")
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_a_port_in_use_is_said_in_one_line(catcher: tuple[int, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert mail_server.main(["--port", str(catcher[0])]) == 2
    assert capsys.readouterr().err == f"Port {catcher[0]} cannot be used: Address already in use.\n"


def test_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_server, "KEPT", 3)
    for number in range(5):
        (tmp_path / f"{number}.eml").touch()
    mail_server.forget(tmp_path)
    assert sorted(file.stem for file in tmp_path.iterdir()) == ["2", "3", "4"]
