"""Attached files, through their doors: sent, bound, removed, shown, downloaded, swept; on a disk and in a bucket."""

import hashlib
import html
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import storages
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpdesk.accounts.models import User
from helpdesk.storage import store
from tests.tickets import files
from tickets import actions, attaching, merging, previewing, receiving
from tickets.models import Attachment, Draft, Message, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Files of this test alone."""
    settings.STORAGES = {
        **settings.STORAGES,
        "attachments": {"BACKEND": "helpdesk.storage.DiskStore", "OPTIONS": {"location": str(tmp_path)}},
    }
    return tmp_path


def enter(person: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return client


def opened(cast: Any, **more: Any) -> Ticket:
    given = {
        "customer": cast.acme,
        "title": "数据库连接超时",
        "description": "从 09:58 开始",
        "category": "technical",
        "impact": "production_part",
        "urgency": "urgent",
        "by": cast.cora,
        "at": timezone.now() - timedelta(minutes=5),
    }
    return actions.open_ticket(**(given | more))


@pytest.fixture
def ticket(cast: Any) -> Ticket:
    return opened(cast)


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def lying(folder: Path) -> set[str]:
    """Every file in the storage, by its name, what is on its way in too."""
    return {p.name for p in folder.rglob("*") if p.is_file()}


def filing(cast: Any, **more: Any) -> dict[str, Any]:
    return {
        "customer": str(cast.acme.pk),
        "title": "RDS 只读副本延迟",
        "description": "主库正常",
        "category": "technical",
        "impact": "production_part",
        "urgency": "urgent",
        "once": uuid4().hex,
        **more,
    }


# --- Sending ---------------------------------------------------------------------------------------------------------


def test_a_file_arrives_whole_under_a_name_that_nobody_typed(cast: Any, folder: Path) -> None:
    answer = files.send(enter(cast.cora), "截图 1.png", content := files.picture())
    assert answer.status_code == 201
    one = files.only_file()
    assert answer.json() == {"id": str(one.pk), "name": "截图 1.png", "size": "1 KB", "notice": ""}
    assert (one.type, one.size, one.sha256) == ("png", len(content), hashlib.sha256(content).hexdigest())
    assert (one.uploader, one.message) == (cast.cora, None)
    assert lying(folder) == {one.key}
    assert b"".join(store().read(one.key)) == content


def test_a_ticket_is_filed_with_files_from_both_ways(cast: Any) -> None:
    client = enter(cast.cora)
    before = files.sent(client, "slow.log", files.LOG)
    posted = client.post("/tickets/create", filing(cast, files=[before, files.form_file("a.pdf", files.pdf())]))
    assert posted.status_code == 303, text(posted)
    message = Message.objects.get()
    assert [(f.name, f.type) for f in Attachment.objects.order_by("created_at")] == [
        ("slow.log", "text"),
        ("a.pdf", "pdf"),
    ]
    assert set(Attachment.objects.values_list("message", flat=True)) == {message.pk}
    page = text(client.get(posted.headers["Location"]))
    assert "slow.log" in page
    assert "a.pdf" in page


@pytest.mark.parametrize("verb", ["reply", "note"])
def test_an_engineer_sends_files_with_a_reply_and_a_note(cast: Any, ticket: Ticket, verb: str) -> None:
    client = enter(cast.ana)
    number = files.sent(client, "plan.png", files.picture())
    answer = client.post(f"/tickets/{ticket.ref}/{verb}", {"body": "See the plan", "files": number})
    assert answer.status_code == 303
    assert str(files.only_file().message.kind) == verb


def test_what_was_typed_and_sent_stays_when_the_form_is_refused(cast: Any, ticket: Ticket) -> None:
    client = enter(cast.cora)
    before = files.sent(client, "slow.log", files.LOG)
    given = {"body": "", "files": [before, files.form_file("second.log", files.LOG)]}
    answer = client.post(f"/tickets/{ticket.ref}/reply", given)
    page = text(answer)
    assert answer.status_code == 422
    assert "Write something first" in page or "先写" in page
    for one in Attachment.objects.all():
        assert f'name="files" value="{one.pk}" data-name="{one.name}" checked' in page
    kept = [str(pk) for pk in Attachment.objects.values_list("pk", flat=True)]
    assert client.post(f"/tickets/{ticket.ref}/reply", {"body": "Now", "files": kept}).status_code == 303
    assert Attachment.objects.filter(message__body="Now").count() == 2


def test_a_preview_without_a_script_keeps_the_files(cast: Any) -> None:
    client = enter(cast.cora)
    page = text(client.post("/tickets/create", filing(cast, preview="1", files=files.form_file("a.log", files.LOG))))
    assert f'value="{files.only_file().pk}"' in page
    assert not Ticket.objects.exists()


@pytest.mark.parametrize(
    ("name", "content", "kind", "word"),
    [
        ("install.txt", b"#!/bin/sh\nrm -rf /\n", "text", ""),
        ("logo.svg", files.SVG, "markup", "a web page or a drawing with code"),
        ("logo.png", files.SVG, "markup", "a web page or a drawing with code"),
        ("page.html", files.HTML, "markup", "a web page or a drawing with code"),
        ("mail.eml", b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<script>", "markup", "a web page"),
        ("utf7.txt", b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-", "markup", "a web page"),
        ("photo.jpg", files.picture("PNG"), "png", "not what its name says"),
        ("paper.pdf", files.bomb_gzip(), "gzip", "not what its name says"),
        ("sheet.xlsx", files.bomb_zip(), "zip", "not what its name says"),
        ("photo.jpeg", files.picture("JPEG"), "jpeg", ""),
        ("slow.log", files.LOG, "text", ""),
        ("old.log", "连接超时".encode("gb18030"), "text", ""),
        ("what", bytes(range(256)), "other", ""),
    ],
)
def test_a_type_is_told_by_the_content_and_said_where_the_name_lies(
    cast: Any, name: str, content: bytes, kind: str, word: str
) -> None:
    told = files.send(enter(cast.ana), name, content).json()
    assert files.only_file().type == kind
    assert (word in told["notice"]) if word else told["notice"] == ""


def test_a_program_and_what_is_too_large_or_empty_are_refused_in_a_word(cast: Any, folder: Path) -> None:
    client = enter(cast.ana)
    for content, status, word in (
        (files.EXE, 422, "This is a program"),
        (files.ELF, 422, "This is a program"),
        (bytes(receiving.BIGGEST + 1), 413, "25 MB"),
        (b"", 422, "is empty"),
    ):
        answer = files.send(client, "photo.png", content)
        assert (answer.status_code, word in answer.json()["error"]) == (status, True)
    assert not Attachment.objects.exists()
    assert lying(folder) == set()


def test_a_large_file_in_a_form_is_said_at_its_field_and_the_text_stays(
    cast: Any, ticket: Ticket, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "BIGGEST", 100_000)
    given = {"body": "My long text", "files": [files.form_file("big.bin", bytes(200_000)), files.form_file("b", b"x")]}
    answer = enter(cast.ana).post(f"/tickets/{ticket.ref}/reply", given)
    page = text(answer)
    assert answer.status_code == 422
    assert "big.bin: Larger than 25 MB" in page
    assert ">My long text</textarea>" in page
    assert lying(folder) == {files.only_file().key}
    assert files.only_file().name == "b"
    assert not Message.objects.filter(body="My long text").exists()


def test_a_body_that_lies_about_its_length_leaves_nothing(cast: Any, folder: Path) -> None:
    client = enter(cast.ana)
    short = files.send(client, "a.bin", b"half", **{"CONTENT_LENGTH": 8, "wsgi.input": io.BytesIO(b"half")})
    assert short.status_code == 400
    assert "did not arrive whole" in short.json()["error"]
    assert (lying(folder), Attachment.objects.count()) == (set(), 0)


def test_at_most_ten_files_go_with_a_message(cast: Any, ticket: Ticket) -> None:
    client = enter(cast.ana)
    numbers = [files.sent(client, f"{n}.log", files.LOG) for n in range(11)]
    answer = client.post(f"/tickets/{ticket.ref}/reply", {"body": "All", "files": numbers})
    assert answer.status_code == 422
    assert "At most 10 files" in text(answer)
    assert client.post(f"/tickets/{ticket.ref}/reply", {"body": "All", "files": numbers[:10]}).status_code == 303


def test_together_they_are_at_most_100_mb(cast: Any, ticket: Ticket) -> None:
    client = enter(cast.ana)
    numbers = [files.sent(client, f"{n}.log", files.LOG) for n in range(5)]
    Attachment.objects.update(size=21 * 1024 * 1024)
    answer = client.post(f"/tickets/{ticket.ref}/reply", {"body": "All", "files": numbers})
    assert (answer.status_code, "larger than 100 MB" in text(answer)) == (422, True)
    assert not Attachment.objects.exclude(message=None).exists()


def test_nobody_can_fill_the_disk_alone(cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attaching, "WAITING_FILES", 3)
    client = enter(cast.cora)
    for n in range(3):
        files.sent(client, f"{n}.log", files.LOG)
    answer = files.send(client, "4.log", files.LOG)
    assert answer.status_code == 429
    # Others still can.
    files.sent(enter(cast.ana), "5.log", files.LOG)
    monkeypatch.setattr(attaching, "AN_HOUR", 1)
    assert files.send(enter(cast.ana), "6.log", files.LOG).status_code == 429


def test_files_on_their_way_never_take_all_of_the_desks_threads(cast: Any) -> None:
    with receiving.slot(), receiving.slot():
        answer = files.send(enter(cast.ana), "a.log", files.LOG)
        assert answer.status_code == 503
    files.sent(enter(cast.ana), "a.log", files.LOG)


# --- Foreign, taken, removed -----------------------------------------------------------------------------------------


def test_a_foreign_a_taken_and_a_removed_file_are_refused_and_the_text_stays(cast: Any, ticket: Ticket) -> None:
    cora, carla = enter(cast.cora), enter(cast.carla)
    foreign = files.sent(carla, "hers.log", files.LOG)
    taken = files.sent(cora, "taken.log", files.LOG)
    removed = files.sent(cora, "removed.log", files.LOG)
    good = files.sent(cora, "good.log", files.LOG)
    assert cora.post(f"/tickets/{ticket.ref}/reply", {"body": "First", "files": taken}).status_code == 303
    assert cora.post(f"/tickets/files/{removed}/remove").status_code == 204
    for wrong in (foreign, taken, removed, str(uuid4())):
        answer = cora.post(f"/tickets/{ticket.ref}/reply", {"body": "My words", "files": [good, wrong]})
        assert answer.status_code == 422
        assert ">My words</textarea>" in text(answer)
        assert f'value="{good}"' in text(answer), "the good one stays on the form"
        assert "hers.log" not in text(answer)
    assert not Message.objects.filter(body="My words").exists()
    assert Attachment.objects.get(pk=good).message is None


def test_only_its_sender_takes_a_file_back_and_only_before_it_is_sent(
    cast: Any, ticket: Ticket, folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    cora = enter(cast.cora)
    number = files.sent(cora, "a.log", files.LOG)
    for other in (cast.carla, cast.ana, cast.gus):
        assert enter(other).post(f"/tickets/files/{number}/remove").status_code == 404
    with django_capture_on_commit_callbacks(execute=True):
        assert cora.post(f"/tickets/files/{number}/remove").status_code == 204
    assert (lying(folder), Attachment.objects.count()) == (set(), 0)
    number = files.sent(cora, "a.log", files.LOG)
    cora.post(f"/tickets/{ticket.ref}/reply", {"body": "Sent", "files": number})
    assert cora.post(f"/tickets/files/{number}/remove").status_code == 404
    assert Attachment.objects.exists()


# --- Beside a draft --------------------------------------------------------------------------------------------------


def on_the_form(client: Client, ticket: Ticket) -> list[str]:
    return re.findall(r'name="files" value="([^"]+)"', text(client.get(f"/tickets/{ticket.ref}/")))


def test_a_draft_keeps_its_files(cast: Any, ticket: Ticket) -> None:
    client, path = enter(cast.cora), f"/tickets/{ticket.ref}/draft"
    script = files.send(client, "a.log", files.LOG, ticket).json()["id"]
    client.post(path, {"body": "Half a thought", "quiet": "1", "draft_at": ""})
    assert on_the_form(client, ticket) == [script]
    saved = {"body": "Half a thought", "draft_at": Draft.objects.get().stamp, "save": "1"}
    client.post(path, saved | {"files": [script, files.form_file("b.log", files.LOG)]})
    assert len(on_the_form(client, ticket)) == 2
    # Nobody else meets them, and what was unticked is gone.
    assert on_the_form(enter(cast.carla), ticket) == on_the_form(enter(cast.ana), ticket) == []
    client.post(path, saved | {"files": [script]})
    assert on_the_form(client, ticket) == [script]
    client.post(f"/tickets/{ticket.ref}/reply", {"body": "A whole one", "files": on_the_form(client, ticket)})
    assert on_the_form(client, ticket) == []
    assert Attachment.objects.get(pk=script).message.body == "A whole one"


def test_a_file_can_wait_only_on_a_ticket_one_may_see(cast: Any, ticket: Ticket, folder: Path) -> None:
    assert files.send(enter(cast.gus), "a.log", files.LOG, ticket).status_code == 404
    assert lying(folder) == set()


def test_a_reply_taken_back_gives_its_files_back(cast: Any, ticket: Ticket) -> None:
    ana, cora = enter(cast.ana), enter(cast.cora)
    number = files.sent(ana, "plan.log", files.LOG)
    path = f"/tickets/{ticket.ref}/files/{number}/"
    ana.post(f"/tickets/{ticket.ref}/reply", {"body": "See the plan", "files": number})
    # For fifteen seconds it is the desk's alone.
    assert [ana.get(path).status_code, cora.get(path).status_code] == [200, 404]
    assert ana.post(f"/tickets/{ticket.ref}/undo").status_code == 303
    assert [ana.get(path).status_code, cora.get(path).status_code] == [404, 404]
    assert on_the_form(ana, ticket) == [number]
    ana.post(f"/tickets/{ticket.ref}/reply", {"body": "See the plan", "files": number})
    Message.objects.update(released_at=F("at"))
    assert cora.get(path).status_code == 200


def test_what_waits_on_a_merged_ticket_waits_on_the_other(cast: Any, ticket: Ticket) -> None:
    other, client = opened(cast), enter(cast.cora)
    number = files.send(client, "a.log", files.LOG, ticket).json()["id"]
    client.post(f"/tickets/{ticket.ref}/draft", {"body": "Half a thought", "quiet": "1", "draft_at": ""})
    version = Ticket.objects.get(pk=ticket.pk).version
    merging.merge(ticket=ticket, version=version, other=other, by=cast.ana, at=timezone.now())
    assert on_the_form(client, other) == [number]


# --- Looking ---------------------------------------------------------------------------------------------------------


def hung(ticket: Ticket, by: User, name: str, content: bytes, verb: str = "reply") -> Attachment:
    """A file on a new message."""
    client = enter(by)
    number = files.sent(client, name, content)
    assert client.post(f"/tickets/{ticket.ref}/{verb}", {"body": f"See {name}", "files": number}).status_code == 303
    # The seconds in which a reply can be taken back are over.
    Message.objects.update(released_at=F("at"))
    return Attachment.objects.get(pk=number)


def drawn(one: Attachment) -> Attachment:
    assert previewing.draw_due(timezone.now()) >= 1
    return Attachment.objects.get(pk=one.pk)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_stands_on_the_page_as_we_drew_it(cast: Any, ticket: Ticket, form: str) -> None:
    one = hung(ticket, cast.ana, f"a.{form.lower()}", files.picture(form, (2000, 1000)))
    client = enter(cast.cora)
    assert "hx-trigger" in text(client.get(f"/tickets/{ticket.ref}/"))
    one = drawn(one)
    assert (one.preview, one.pages, one.width, one.height) == ("made", 1, 480, 240)
    page = text(client.get(f"/tickets/{ticket.ref}/"))
    assert f'src="/tickets/{ticket.ref}/files/{one.pk}/preview/0" width="480" height="240"' in page
    for number in (0, 1):
        answer = client.get(f"/tickets/{ticket.ref}/files/{one.pk}/preview/{number}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/webp")
        assert answer.content.startswith(b"RIFF")
    assert client.get(f"/tickets/{ticket.ref}/files/{one.pk}/preview/2").status_code == 404
    assert "preview/1" in text(client.get(f"/tickets/{ticket.ref}/files/{one.pk}/"))


def test_a_pdf_is_shown_as_pictures_of_its_first_pages(cast: Any, ticket: Ticket) -> None:
    one = drawn(hung(ticket, cast.ana, "report.pdf", files.pdf(12)))
    assert (one.preview, one.pages) == ("made", 10)
    page = text(enter(cast.cora).get(f"/tickets/{ticket.ref}/files/{one.pk}/"))
    assert page.count("/preview/") == 10
    huge = drawn(hung(ticket, cast.ana, "huge.pdf", files.pdf(1, 200_000, 100)))
    assert (huge.preview, huge.width) == ("made", 480)


def test_a_text_is_shown_escaped_on_our_page(cast: Any, ticket: Ticket) -> None:
    client = enter(cast.ana)
    for encoding in ("utf-8", "gb18030", "utf-16"):
        one = hung(ticket, cast.cora, "a.log", ("错误 5 < 6 & \"quoted\" 'it'\n" * 3).encode(encoding))
        raw = client.get(f"/tickets/{ticket.ref}/files/{one.pk}/").content.decode()
        assert "错误 5 &lt; 6 &amp; &quot;quoted&quot;" in raw, encoding
    long = hung(ticket, cast.cora, "long.log", files.LOG * 8000)
    page = text(client.get(f"/tickets/{ticket.ref}/files/{long.pk}/"))
    assert "Only the beginning is shown" in page
    assert len(page) < 300_000


def test_the_line_of_a_file_refreshes_itself_once_its_preview_is_there(cast: Any, ticket: Ticket) -> None:
    one = drawn(hung(ticket, cast.ana, "a.png", files.picture()))
    part = enter(cast.cora).get(f"/tickets/{ticket.ref}/files/{one.pk}/", headers={"HX-Request": "true"})
    assert f'src="/tickets/{ticket.ref}/files/{one.pk}/preview/0"' in text(part)
    assert "<html" not in text(part)


def test_files_cost_no_statement_more(cast: Any, ticket: Ticket) -> None:
    def asked(client: Client) -> int:
        client.get(f"/tickets/{ticket.ref}/")
        with CaptureQueriesContext(connection) as seen:
            assert client.get(f"/tickets/{ticket.ref}/").status_code == 200
        return len(seen)

    actions.reply(ticket=ticket, body="Hello", by=cast.ana, at=timezone.now())
    both = [enter(cast.ana), enter(cast.cora)]
    before = [asked(client) for client in both]
    for n in range(5):
        hung(ticket, cast.ana, f"{n}.png", files.picture())
        hung(ticket, cast.cora, f"{n}.log", files.LOG)
    assert [asked(client) for client in both] == before


# --- Sweeping --------------------------------------------------------------------------------------------------------


def test_what_was_never_sent_goes_after_a_day_and_strays_after_an_hour(
    cast: Any, ticket: Ticket, folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    sent = hung(ticket, cast.ana, "sent.png", files.picture())
    drawn(sent)
    left = files.sent(enter(cast.cora), "left.log", files.LOG)
    stray = "ab" + "0" * 30
    (folder / "ab").mkdir(exist_ok=True)
    for place in (folder / "ab" / stray, store().spool / "half"):
        place.write_bytes(b"stray")
    whole = lying(folder)
    assert attaching.forget_strays(timezone.now()) == 0
    assert lying(folder) == whole
    later = timezone.now() + timedelta(hours=25)
    with django_capture_on_commit_callbacks(execute=True):
        assert attaching.forget_unsent(timezone.now()) == 0
        assert attaching.forget_unsent(later) == 1
    assert not Attachment.objects.filter(pk=left).exists()
    assert attaching.forget_strays(later) == 1
    assert lying(folder) == {sent.key, f"{sent.key}-0", f"{sent.key}-1", "half"}


# --- In a bucket -----------------------------------------------------------------------------------------------------


@pytest.fixture
def bucket(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    boto3, moto = pytest.importorskip("boto3"), pytest.importorskip("moto")
    from helpdesk.settings import attachments

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with moto.mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="desk-files")
        given = attachments("s3://desk-files/all?region=us-east-1")
        given["OPTIONS"]["spool"] = tmp_path / "incoming"
        settings.STORAGES = {**settings.STORAGES, "attachments": given}
        yield boto3.resource("s3", region_name="us-east-1").Bucket("desk-files")


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
def test_a_bucket_holds_the_files_as_a_folder_does(
    cast: Any, ticket: Ticket, bucket: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    content = bytes(range(256)) * 80_000
    one = hung(ticket, cast.ana, "core.bin", content)
    picture = drawn(hung(ticket, cast.ana, "a.png", files.picture()))
    keys = {f"all/{k[:2]}/{k}" for k in (one.key, picture.key, f"{picture.key}-0", f"{picture.key}-1")}
    assert {found.key for found in bucket.objects.all()} == keys
    assert lying(tmp_path) == set(), "nothing stays on the local disk"
    client, path = enter(cast.cora), f"/tickets/{ticket.ref}/files/{one.pk}/core.bin"
    assert b"".join(client.get(path).streaming_content) == content
    part = client.get(path, headers={"Range": "bytes=20000000-20000009"})
    assert (part.status_code, b"".join(part.streaming_content)) == (206, content[20_000_000:20_000_010])
    assert client.get(f"/tickets/{ticket.ref}/files/{picture.pk}/preview/0").status_code == 200
    number = files.sent(client, "b.log", files.LOG)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"/tickets/files/{number}/remove")
    assert {found.key for found in bucket.objects.all()} == keys
    bucket.put_object(Key=f"all/cd/cd{'0' * 30}", Body=b"stray")
    assert attaching.forget_strays(timezone.now() + timedelta(hours=2)) == 1
    assert {found.key for found in bucket.objects.all()} == keys


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
def test_a_bucket_that_is_away_is_said_and_keeps_nothing(
    cast: Any, ticket: Ticket, bucket: Any, tmp_path: Path
) -> None:
    one = hung(ticket, cast.ana, "a.log", files.LOG)
    for found in bucket.objects.all():
        found.delete()
    client = enter(cast.ana)
    assert client.get(f"/tickets/{ticket.ref}/files/{one.pk}/a.log").status_code == 404
    bucket.delete()
    assert files.send(client, "b.log", files.LOG).status_code == 503
    assert Attachment.objects.count() == 1
    assert lying(tmp_path) == set()


@pytest.mark.parametrize("url", ["files", "ftp://x/y", "s3://", "s3://b?key=secret", "http://x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    from helpdesk.settings import attachments

    with pytest.raises(ValueError, match="STORAGE_URL"):
        attachments(url)
    assert storages["attachments"]
