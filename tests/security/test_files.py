"""X-06 to X-10, R-02 and R-08: what strangers attach is only ever a download, asked for anew each time, whole or not
there at all, and decoded by nobody who has anything to lose."""

import errno
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from helpdesk.accounts.models import Membership, User
from helpdesk.storage import LEAST_ROOM, DiskStore, store
from tests.tickets import files
from tests.tickets.test_files import enter, filing, folder, hung, lying, opened, text, ticket
from tickets import attaching, drawing, file_views, merging, previewing, receiving, splitting
from tickets.filetypes import clean_name
from tickets.models import Attachment, Message, Ticket

__all__ = ["folder", "ticket"]
pytestmark = pytest.mark.django_db


def path_of(ticket: Ticket, one: Attachment, name: str = "any") -> str:
    return f"/tickets/{ticket.ref}/files/{one.pk}/{name}"


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


# --- as what it is served --------------------------------------------------------------------------------------

HOSTILE = {
    "page.html": files.HTML,
    "drawing.svg": files.SVG,
    "feed.xml": b'<?xml version="1.0"?><x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>',
    "page.xhtml": b'<html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>',
    "paper.pdf": files.pdf(1) + b"\n<script>alert(1)</script>",
    "archive.mhtml": b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n<script>alert(1)</script>",
    "code.js": b"alert(document.cookie)",
    "movie.swf": b"CWS\x0a" + bytes(100),
    "mail.eml": b"Content-Type: text/html\r\n\r\n<script>alert(1)</script>",
    "notes.txt": b"hello <script>alert(1)</script>",
    "both.gif": b"GIF89a/*" + bytes(20) + b"*/=alert(1)//<script>alert(1)</script>",
    "utf7.txt": b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "none": b"<img src=x onerror=alert(1)>",
    "photo.png.html": files.HTML,
    "photo.html.png": files.HTML,
    "page.pht": b"<?php system($_GET[1]);",
    "photo.png": files.picture(),
}
PLAIN = {
    "application/octet-stream",
    "application/pdf",
    "image/png",
    "image/gif",
    "application/zip",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_is_attached_leaves_as_a_download_in_a_sandbox(cast: Any, ticket: Ticket, name: str) -> None:
    one = hung(ticket, cast.cora, name, HOSTILE[name])
    answer = enter(cast.ana).get(path_of(ticket, one, name))
    assert answer.status_code == 200
    assert body(answer) == HOSTILE[name]
    heads = answer.headers
    assert heads["Content-Disposition"] == f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}"
    assert heads["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert heads["Content-Type"] in PLAIN
    assert heads["X-Content-Type-Options"] == "nosniff"
    assert heads["Cache-Control"] == "private, no-store"
    assert heads["Cross-Origin-Resource-Policy"] == "same-origin"
    assert heads["X-Frame-Options"] == "DENY"
    # And no page of ours carries any of it as more than text.
    for page in (f"/tickets/{ticket.ref}/", f"/tickets/{ticket.ref}/files/{one.pk}/"):
        assert not re.search(r"<script>|<svg xmlns=|<img src=x|onload=", enter(cast.ana).get(page).content.decode())


def test_in_place_stands_only_a_picture_that_we_drew(cast: Any, ticket: Ticket) -> None:
    one = hung(ticket, cast.cora, "photo.jpg", files.picture("JPEG") + b"<script>alert(1)</script>")
    previewing.draw_due(timezone.now())
    client, address = enter(cast.ana), f"/tickets/{ticket.ref}/files/{one.pk}/preview/1"
    answer = client.get(address)
    assert (answer.headers["Content-Type"], answer.headers["Content-Disposition"]) == ("image/webp", "inline")
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert b"<script>" not in answer.content
    # Something else under its name is nobody's picture.
    part = store().spool / "swapped"
    part.write_bytes(files.HTML)
    store().put(f"{one.key}-1", part)
    assert client.get(address).status_code == 404


# --- parts of a file -------------------------------------------------------------------------------------------

CONTENT = bytes(range(256)) * 40
RANGES = [
    # asked, status, bytes, Content-Range
    ("bytes=0-9", 206, CONTENT[:10], "bytes 0-9/10240"),
    ("bytes=10230-", 206, CONTENT[10230:], "bytes 10230-10239/10240"),
    ("bytes=-5", 206, CONTENT[-5:], "bytes 10235-10239/10240"),
    ("bytes=-99999", 206, CONTENT, "bytes 0-10239/10240"),
    ("bytes=5-99999", 206, CONTENT[5:], "bytes 5-10239/10240"),
    ("bytes=10239-10239", 206, CONTENT[-1:], "bytes 10239-10239/10240"),
    ("bytes=10240-", 416, b"", "bytes */10240"),
    ("bytes=99999-100000", 416, b"", "bytes */10240"),
    ("bytes=-0", 416, b"", "bytes */10240"),
    ("bytes=9-5", 200, CONTENT, None),
    ("bytes=-", 200, CONTENT, None),
    ("bytes=a-b", 200, CONTENT, None),
    ("items=0-5", 200, CONTENT, None),
    ("bytes=0-0,5-9", 200, CONTENT, None),
    ("bytes=" + ",".join(["0-"] * 1000), 200, CONTENT, None),
    ("bytes=" + "9" * 40 + "-", 200, CONTENT, None),
]


@pytest.mark.parametrize(("asked", "status", "content", "told"), RANGES)
def test_a_part_of_a_file(cast: Any, ticket: Ticket, asked: str, status: int, content: bytes, told: str | None) -> None:
    one = hung(ticket, cast.cora, "core.bin", CONTENT)
    answer = enter(cast.ana).get(path_of(ticket, one), headers={"Range": asked})
    assert (answer.status_code, body(answer)) == (status, content)
    assert answer.headers.get("Content-Range") == told
    assert answer.headers.get("Content-Length", "0") == str(len(content))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["Content-Disposition"].startswith("attachment;")


def test_a_part_only_of_the_same_file_and_heads_without_a_body(cast: Any, ticket: Ticket) -> None:
    one = hung(ticket, cast.cora, "core.bin", CONTENT)
    client, path = enter(cast.ana), path_of(ticket, one)
    same = client.get(path).headers["ETag"]
    for condition, status in (
        (same, 206),
        ('"other"', 200),
        (f"W/{same}", 200),
        ("Wed, 25 Nov 2026 08:00:00 GMT", 200),
    ):
        answer = client.get(path, headers={"Range": "bytes=0-4", "If-Range": condition})
        assert answer.status_code == status, condition
        assert body(answer) == (CONTENT[:5] if status == 206 else CONTENT)
    head = client.head(path)
    assert (head.status_code, body(head), head.headers["Content-Length"]) == (200, b"", "10240")
    # The same is asked of whoever wants a part, or only the head.
    for person in (cast.gus, cast.cody, cast.audrey):
        for answer in (enter(person).head(path), enter(person).get(path, headers={"Range": "bytes=0-4"})):
            assert answer.status_code == 404
    assert Client().get(path, headers={"Range": "bytes=0-4"}).status_code == 302
    assert client.post(path).status_code == 405


# --- names -----------------------------------------------------------------------------------------------------

NAMES = {
    "../../example/MyFile.txt": "MyFile.txt",
    "..\\..\\windows\\a.txt": "a.txt",
    "php://foo": "foo",
    "a\r\nSet-Cookie: x=1\r\n.txt": "aSet-Cookie_ x=1.txt",
    "nul\x00l.txt": "null.txt",
    "photo\u202egpj.exe": "photogpj.exe",
    "x" * 10_000 + ".log": "x" * 116 + ".log",
    "CON": "_CON",
    "aux.txt": "_aux.txt",
    "": "file",
    "...": "file",
    "\u200b\u2060": "file",
    'a"b\\c;d%e.txt': "c;d%e.txt",
    "错误 日志.log": "错误 日志.log",
    ".htaccess": "htaccess",
}


@pytest.mark.parametrize("said", NAMES)
def test_a_name_is_only_ever_a_word(cast: Any, ticket: Ticket, folder: Path, said: str) -> None:
    client, wanted = enter(cast.cora), NAMES[said]
    assert clean_name(said) == wanted
    alone = files.sent(client, said, files.LOG)
    client.post(f"/tickets/{ticket.ref}/reply", {"body": "x", "files": alone})
    one = Attachment.objects.get(pk=alone)
    assert one.name == wanted
    told = client.get(path_of(ticket, one)).headers["Content-Disposition"]
    assert "\r" not in told
    assert "\n" not in told
    assert re.fullmatch(r"attachment; filename=\"[ -~]+\"; filename\*=UTF-8''[A-Za-z0-9%._~-]+", told)
    assert all(re.fullmatch(r"[0-9a-f]{32}", name) for name in lying(folder))
    page = client.get(f"/tickets/{ticket.ref}/")
    assert "\u202e" not in text(page)


def test_a_name_in_a_form_is_only_a_word_too(cast: Any, folder: Path) -> None:
    raw = (
        b'--b\r\nContent-Disposition: form-data; name="files"; filename="../../../tmp/evil\xe2\x80\xaegpj.exe"\r\n'
        b"Content-Type: image/png\r\n\r\nhello\r\n--b--\r\n"
    )
    client = enter(cast.cora)
    client.post("/tickets/create", raw, content_type="multipart/form-data; boundary=b")
    one = files.only_file()
    assert (one.name, one.type) == ("evilgpj.exe", "text")
    assert lying(folder) == {one.key}


def test_files_are_thrown_away_at_doors_that_want_none(cast: Any, ticket: Ticket, folder: Path) -> None:
    given = {"version": 1, "files": files.form_file("a.log", files.LOG)}
    enter(cast.ana).post(f"/tickets/{ticket.ref}/start", given)
    Client().post("/accounts/login/", {"login": "x", "files": files.form_file("a.log", files.LOG)})
    Client().post(f"/tickets/{ticket.ref}/reply", {"body": "x", "files": files.form_file("a.log", files.LOG)})
    enter(cast.audrey).post("/tickets/create", {"files": files.form_file("a.log", files.LOG)})
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.ana)
    assert strict.post(f"/tickets/{ticket.ref}/reply", given).status_code == 403
    assert files.send(strict, "a.log", files.LOG).status_code == 403
    assert files.send(Client(), "a.log", files.LOG).status_code == 302
    assert files.send(enter(cast.audrey), "a.log", files.LOG).status_code == 404
    assert (lying(folder), Attachment.objects.count()) == (set(), 0)


# --- asked anew ------------------------------------------------------------------------------------------------


def doors(ticket: Ticket, one: Attachment) -> list[str]:
    address = f"/tickets/{ticket.ref}/files/{one.pk}/"
    return [address, address + "any", address + "preview/0", address + "preview/1"]


def answers(person: User, ticket: Ticket, one: Attachment) -> set[int]:
    return {enter(person).get(door).status_code for door in doors(ticket, one)}


@pytest.fixture
def one(cast: Any, ticket: Ticket) -> Attachment:
    hung(ticket, cast.ana, "plan.png", files.picture())
    previewing.draw_due(timezone.now())
    return files.only_file()


def test_each_look_asks_who_may_read_the_message(cast: Any, ticket: Ticket, one: Attachment) -> None:
    for person in (cast.cora, cast.carla, cast.dora, cast.ana, cast.lee, cast.ada):
        assert answers(person, ticket, one) == {200}, person.name
    for person in (cast.cody, cast.gus, cast.audrey):
        assert answers(person, ticket, one) == {404}, person.name


def test_a_file_on_a_note_is_for_the_desk(cast: Any, ticket: Ticket, one: Attachment) -> None:
    assert answers(cast.cora, ticket, one) == {200}
    Message.objects.filter(pk=one.message_id).update(kind="note")
    assert answers(cast.cora, ticket, one) == {404}
    assert answers(cast.ana, ticket, one) == {200}
    assert "plan.png" not in text(enter(cast.cora).get(f"/tickets/{ticket.ref}/"))


def test_a_message_that_moved_takes_its_files_along(cast: Any, ticket: Ticket, one: Attachment) -> None:
    other = opened(cast, customer=cast.globex, by=cast.gus)
    assert answers(cast.ana, other, one) == {404}
    Message.objects.filter(pk=one.message_id).update(ticket=other)
    assert answers(cast.cora, ticket, one) == {404}
    assert answers(cast.cora, other, one) == {404}
    assert answers(cast.gus, other, one) == {200}
    assert answers(cast.ana, ticket, one) == {404}


def test_a_message_split_off_shows_its_files_in_both_tickets(
    cast: Any, ticket: Ticket, one: Attachment, folder: Path
) -> None:
    message, whole = Message.objects.get(pk=one.message_id), lying(folder)
    words = {"title": "Of its own", "category": "technical", "impact": "question", "urgency": "wait"}
    version = Ticket.objects.get(pk=ticket.pk).version
    made = splitting.split(ticket=ticket, version=version, message=message, **words, by=cast.ana, at=timezone.now())
    other = Attachment.objects.exclude(pk=one.pk).get()
    assert (other.message.ticket, other.key) == (made, one.key)
    assert answers(cast.cora, made, other) == answers(cast.cora, ticket, one) == {200}
    assert answers(cast.cora, made, one) == answers(cast.gus, made, other) == {404}
    assert lying(folder) == whole
    assert attaching.forget_strays(timezone.now() + attaching.STRAY_AFTER * 2) == 0


def test_a_merged_ticket_takes_its_files_along(cast: Any, ticket: Ticket, one: Attachment) -> None:
    survivor = opened(cast)
    version = Ticket.objects.get(pk=ticket.pk).version
    merging.merge(ticket=ticket, version=version, other=survivor, by=cast.ana, at=timezone.now())
    assert answers(cast.cora, survivor, one) == {200}
    assert answers(cast.gus, survivor, one) == answers(cast.gus, ticket, one) == {404}


def test_who_was_removed_downloads_nothing_more(cast: Any, ticket: Ticket, one: Attachment) -> None:
    open_page = enter(cast.carla)
    path = path_of(ticket, one)
    assert open_page.get(path).status_code == 200
    Membership.objects.filter(user=cast.carla).update(is_active=False)
    assert open_page.get(path).status_code == 404
    Ticket.objects.filter(pk=ticket.pk).update(requester=cast.cody)
    assert answers(cast.cora, ticket, one) == {404}


def test_a_file_that_was_not_sent_is_nobodys_to_see(cast: Any, ticket: Ticket) -> None:
    number = files.sent(enter(cast.ana), "draft.log", files.LOG)
    waits = Attachment.objects.get(pk=number)
    for person in (cast.ana, cast.cora, cast.ada):
        assert answers(person, ticket, waits) == {404}


# --- bombs -----------------------------------------------------------------------------------------------------


def test_the_web_process_never_decodes_what_was_sent(
    cast: Any, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    def decoded(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("decoded in the web process")

    contents = [files.picture(), files.pdf(), files.bomb_zip(), files.bomb_gzip(), files.huge_png()]
    monkeypatch.setattr(Image, "open", decoded)
    monkeypatch.setattr(subprocess, "Popen", decoded)
    for module in ("zipfile.ZipFile", "gzip.decompress", "pypdfium2.PdfDocument"):
        monkeypatch.setattr(module, decoded)
    for number, content in enumerate(contents):
        one = hung(ticket, cast.cora, f"{number}.bin", content)
        assert answers(cast.ana, ticket, one) <= {200, 404}
    assert enter(cast.ana).get(f"/tickets/{ticket.ref}/").status_code == 200


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("huge.png", files.huge_png()),
        ("cut.png", files.picture()[:60]),
        ("cut.jpg", files.picture("JPEG")[:200]),
        ("broken.pdf", b"%PDF-1.7\n" + b"x" * 1000),
        ("empty.pdf", files.pdf(0)),
        ("both.gif", b"GIF89a" + b"\xff" * 100),
    ],
)
def test_a_bomb_or_a_broken_file_only_loses_its_preview(cast: Any, ticket: Ticket, name: str, content: bytes) -> None:
    one = hung(ticket, cast.cora, name, content)
    previewing.draw_due(timezone.now())
    one.refresh_from_db()
    assert (one.preview, one.pages) == ("failed", 0)
    assert "no preview possible" in text(enter(cast.ana).get(f"/tickets/{ticket.ref}/"))
    assert body(enter(cast.ana).get(path_of(ticket, one))) == content


GREEDY = """
import sys
sys.path.insert(0, sys.argv[1])
from tickets import drawing
drawing.limit()
if sys.argv[2] == "memory":
    bytearray(3 * 1024 ** 3)
elif sys.argv[2] == "disk":
    open("big", "wb").write(bytes(2 * drawing.WRITTEN))
else:
    while True: pass
"""


@pytest.mark.parametrize("what", ["memory", "disk", "time"])
def test_the_drawing_process_takes_no_more_than_its_share(tmp_path: Path, what: str) -> None:
    program = GREEDY.replace("drawing.limit()", "drawing.CPU_S = 1; drawing.limit()")
    done = subprocess.run(
        [sys.executable, "-c", program, str(Path(drawing.__file__).parent.parent), what],
        cwd=tmp_path,
        capture_output=True,
        timeout=30,
    )
    assert done.returncode != 0


def test_the_drawing_process_knows_no_secret_of_ours(
    cast: Any, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}
    real = subprocess.Popen

    def seen(*args: Any, **kwargs: Any) -> Any:
        asked.update(kwargs, argv=args[0])
        return real(*args, **kwargs)

    monkeypatch.setattr(subprocess, "Popen", seen)
    hung(ticket, cast.cora, "a.png", files.picture())
    previewing.draw_due(timezone.now())
    assert files.only_file().preview == "made"
    assert set(asked["env"]) == {"PATH"}
    assert "-I" in asked["argv"]


def test_a_file_that_kills_its_worker_is_given_up(cast: Any, ticket: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    one = hung(ticket, cast.cora, "a.png", files.picture())

    def killed(*args: Any) -> None:
        raise SystemExit("kill -9")

    monkeypatch.setattr(previewing, "_draw", killed)
    at = timezone.now()
    for n in range(1, 4):
        with pytest.raises(SystemExit):
            previewing.draw_due(at + previewing.AGAIN_AFTER * n)
    assert previewing.draw_due(at + previewing.AGAIN_AFTER * 9) == 0
    one.refresh_from_db()
    assert one.preview == "failed"


# --- no room ---------------------------------------------------------------------------------------------------


class Filling(DiskStore):
    """A disk with a megabyte left."""

    def room(self) -> int | None:
        return None


@pytest.fixture(params=["a real small disk", "a disk that says so"])
def full(request: Any, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place of one megabyte for files."""
    place = tmp_path / "small"
    place.mkdir()
    options = {"BACKEND": "tests.security.test_files.Filling", "OPTIONS": {"location": str(place)}}
    settings.STORAGES = {**settings.STORAGES, "attachments": options}
    if request.param == "a real small disk":
        if os.getuid():
            pytest.skip("NOT ROOT: no small disk can be mounted, so the disk that says so stands in")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True)
        if mounted.returncode:
            pytest.skip(f"NO MOUNT: {mounted.stderr.decode().strip()}; the disk that says so stands in")
        yield place
        subprocess.run(["umount", str(place)], check=True)
        return
    real = receiving.Incoming.write

    def write(self: receiving.Incoming, block: bytes) -> None:
        if self.size + len(block) > 1_000_000:
            with receiving._plain_words():
                raise OSError(errno.ENOSPC, "No space left on device")
        real(self, block)

    monkeypatch.setattr(receiving.Incoming, "write", write)
    yield place


def test_a_full_disk_is_said_and_leaves_nothing(cast: Any, ticket: Ticket, full: Path) -> None:
    client = enter(cast.cora)
    small = files.sent(client, "small.log", files.LOG)
    whole = lying(full)
    answer = files.send(client, "large.bin", bytes(range(256)) * 12_000)
    assert answer.status_code == 507
    # Cora reads Chinese.
    assert "没有存放文件的空间" in answer.json()["error"]
    assert lying(full) == whole
    assert [str(pk) for pk in Attachment.objects.values_list("pk", flat=True)] == [small]
    # In a form the words stay, and reading goes on.
    given = {"body": "My words", "files": files.form_file("large.bin", bytes(range(256)) * 12_000)}
    refused = client.post(f"/tickets/{ticket.ref}/reply", given)
    assert refused.status_code == 422
    assert ">My words</textarea>" in text(refused)
    assert lying(full) == whole
    assert client.post(f"/tickets/{ticket.ref}/reply", {"body": "Small", "files": small}).status_code == 303
    assert body(client.get(path_of(ticket, Attachment.objects.get()))) == files.LOG


def test_the_last_of_the_disk_is_left_to_the_database(cast: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DiskStore, "room", lambda self: LEAST_ROOM - 1)
    assert files.send(enter(cast.ana), "a.log", files.LOG).status_code == 507
    assert lying(folder) == set()
    # And whoever watches the desk is told.
    assert "storage" in Client().get("/readyz").json()["missing"]
    assert "no room for files" in text(enter(cast.lee).get("/console/"))


# --- cut off anywhere ------------------------------------------------------------------------------------------


class Killed(BaseException):
    """As if the process had ended here."""


def kill(*args: Any, **kwargs: Any) -> Any:
    raise Killed


POINTS = [
    ("while the file is written", receiving.Incoming, "write"),
    ("before it has its name", DiskStore, "put"),
    ("before its row", Attachment.objects, "create"),
    ("before the commit", attaching, "async_task"),
]


@pytest.mark.parametrize("point", POINTS, ids=[p[0] for p in POINTS])
def test_a_row_never_stands_without_its_file(
    cast: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, point: tuple[str, Any, str]
) -> None:
    _when, where, what = point
    monkeypatch.setattr(where, what, kill)
    # A dead process tidies nothing up.
    monkeypatch.setattr(attaching, "drop", lambda keys: None)
    monkeypatch.setattr(receiving.Incoming, "close", lambda self: self.handle.close())
    client = enter(cast.cora)
    with pytest.raises(Killed):
        files.send(client, "a.png", files.picture())
    monkeypatch.undo()
    assert not Attachment.objects.exists()
    later = timezone.now() + attaching.STRAY_AFTER * 2
    for left in store().spool.glob("*"):
        os.utime(left, (0, 0))
    attaching.forget_strays(later)
    assert lying(folder) == set(), "what was left is swept"


@pytest.mark.parametrize("what", ["record_all", "clocks.start", "notify.opened", "attaching.bind"])
def test_a_ticket_that_was_not_filed_leaves_its_files_as_they_were(
    cast: Any, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    client = enter(cast.cora)
    numbers = [files.sent(client, f"{n}.png", files.picture()) for n in range(3)]

    def broken(*args: Any, **kwargs: Any) -> None:
        raise IntegrityError("on fire")

    monkeypatch.setattr(f"tickets.opening.{what}", broken)
    assert client.post("/tickets/create", filing(cast, files=numbers)).status_code == 500
    monkeypatch.undo()
    assert not Ticket.objects.exists()
    assert not Attachment.objects.exclude(message=None).exists()
    assert client.post("/tickets/create", filing(cast, files=numbers)).status_code == 303
    assert Attachment.objects.filter(message__kind="opening").count() == 3


def test_no_row_points_at_nothing_and_no_old_file_at_nobody(cast: Any, ticket: Ticket, folder: Path) -> None:
    for n in range(3):
        hung(ticket, cast.ana, f"{n}.png", files.picture())
    previewing.draw_due(timezone.now())
    owners = {UUID(name.partition("-")[0]) for name in lying(folder)}
    assert owners == set(Attachment.objects.values_list("pk", flat=True))
    assert attaching.forget_strays(timezone.now() + attaching.STRAY_AFTER * 2) == 0


def test_a_preview_of_a_file_that_was_taken_back_is_not_kept(
    cast: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    client = enter(cast.cora)
    number = files.sent(client, "a.png", files.picture())
    real = previewing._ask

    def slow(*args: Any) -> Any:
        drawn = real(*args)
        with django_capture_on_commit_callbacks(execute=True):
            assert client.post(f"/tickets/files/{number}/remove").status_code == 204
        return drawn

    monkeypatch.setattr(previewing, "_ask", slow)
    previewing.draw_due(timezone.now())
    assert (lying(folder), Attachment.objects.count()) == (set(), 0)


def test_the_page_of_a_file_reads_no_more_than_it_shows(cast: Any, ticket: Ticket) -> None:
    long = hung(ticket, cast.cora, "long.log", files.LOG * 100_000)
    read: list[int] = []
    real = DiskStore.read

    def counted(self: DiskStore, key: str, start: int = 0, length: int | None = None) -> Any:
        read.append(length or 0)
        return real(self, key, start, length)

    DiskStore.read = counted  # type: ignore[method-assign]
    try:
        enter(cast.ana).get(f"/tickets/{ticket.ref}/files/{long.pk}/")
    finally:
        DiskStore.read = real  # type: ignore[method-assign]
    assert read == [file_views.SHOWN_OF_A_TEXT]
