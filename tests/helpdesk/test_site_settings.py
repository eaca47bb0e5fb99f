"""Whose desk this is: an administrator says it once, and pages, portal and login say it after them."""

import hashlib
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation
from PIL import Image

from helpdesk import actions, colour, site
from helpdesk.audit.models import Entry
from helpdesk.models import SiteSettings
from tests.cast import Cast

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
PAGE = "/admin/helpdesk/sitesettings/1/change/"
SAID = {
    "name_zh": "星桥云支持",
    "name_en": "Starbridge Care",
    "colour": "#0b6e4f",
    "address_zh": "上海市徐汇区漕溪北路 1 号",
    "address_en": "1 Caoxi Road North, Shanghai",
    "support_mailbox": "care@starbridge.example",
    "hotline": "+86 400 000 1234",
    "public_url": "https://care.starbridge.example/",
    "default_language": "zh-hans",
    "default_zone": "Europe/Berlin",
    "icp_number": "沪ICP备2026000001号",
    "police_number": "沪公网安备31010402000001号",
    "director_mail": "director@starbridge.example",
    "seen": "0",
}


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 30)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, (11, 110, 79)).save(out, kind)
    return out.getvalue()


def save(person: Any, *, logo: bytes | None = None, name: str = "logo.png", language: str = "en", **said: str) -> Any:
    person.language = language
    person.save()
    client = Client()
    client.force_login(person)
    files = {} if logo is None else {"logo_file": SimpleUploadedFile(name, logo)}
    return client.post(PAGE, {**SAID, **said, **files})


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    with translation.override(answer.headers["Content-Language"]):
        return {
            field: [str(word) for word in words] for field, words in answer.context["adminform"].form.errors.items()
        }


def test_what_an_administrator_saves_stands_on_every_page_at_once(cast: Cast) -> None:
    assert save(cast.ada, logo=picture()).status_code == 302
    row = SiteSettings.objects.get()
    stranger, chinese = Client(headers={"accept-language": "en"}), Client(headers={"accept-language": "zh-CN"})
    login, anmeldung = stranger.get("/accounts/login/"), chinese.get("/accounts/login/")
    assert "Starbridge Care" in login.content.decode()
    assert "星桥云支持" in anmeldung.content.decode()
    assert "Yunling" not in login.content.decode()
    for page in (login, anmeldung):
        assert "沪ICP备2026000001号" in page.content.decode()
        assert "沪公网安备31010402000001号" in page.content.decode()
        assert f"/site/logo?v={row.logo_digest[:16]}" in page.content.decode()
        assert "/site/colours.css?v=0b6e4f" in page.content.decode()
    for person in (cast.cora, cast.ana):
        client = Client()
        client.force_login(person)
        assert f"/site/logo?v={row.logo_digest[:16]}" in client.get("/tickets/").content.decode()
    portal = Client()
    portal.force_login(cast.gus)
    assert "沪ICP备2026000001号" in portal.get("/tickets/").content.decode()


def test_saving_leaves_history_without_a_word_of_what_was_said(cast: Cast) -> None:
    save(cast.ada, logo=picture())
    entry = Entry.objects.get(action="site.changed")
    assert (entry.actor, entry.subject, entry.audience) == (cast.ada.key, "site", "staff")
    assert {"name_zh", "logo", "colour", "default_zone"} <= set(entry.data["fields"])
    save(cast.ada, seen="1")
    assert Entry.objects.filter(action="site.changed").count() == 1, "nothing differed, nothing happened"


def test_only_administrators_open_the_settings(cast: Cast) -> None:
    for person in (cast.lee, cast.ana, cast.audrey, cast.carla, cast.gus):
        assert save(person).headers["Location"].startswith("/admin/login/")
        client = Client()
        client.force_login(person)
        assert client.get(PAGE, follow=True).status_code == 404
        with pytest.raises(PermissionDenied):
            actions.change_site(name_en="Mine", by=person, at=AT)
    assert Client().post(PAGE, SAID, follow=True).redirect_chain[-1][0].startswith("/accounts/login/")
    assert not SiteSettings.objects.exists()
    assert not Entry.objects.filter(action="site.changed").exists()


def test_the_logo_is_drawn_anew_and_lies_in_caches(cast: Cast) -> None:
    hidden = picture("JPEG") + b"<script>alert(1)</script>"
    assert save(cast.ada, logo=hidden, name="evil.html").status_code == 302
    row = SiteSettings.objects.get()
    kept = Client().get(f"/site/logo?v={row.logo_digest[:16]}")
    assert kept.headers["Content-Type"] == "image/png"
    assert kept.headers["X-Content-Type-Options"] == "nosniff"
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert b"script" not in kept.content
    assert hashlib.sha256(kept.content).hexdigest() == row.logo_digest
    assert Client().get("/site/logo").headers["Cache-Control"] == "public, max-age=60"
    save(cast.ada, seen="1", no_logo="on")
    assert Client().get("/site/logo").status_code == 404
    assert "/site/logo" not in Client().get("/accounts/login/").content.decode()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
NO_LOGO = {
    "svg": SVG,
    "svg called png": SVG,
    "text": b"hello",
    "cut off": picture()[:40],
    "gif": picture("GIF"),
    "heavy": picture() + b"\0" * 600_000,
    "a bomb": picture(size=(9000, 9000)),
}


@pytest.mark.parametrize("what", NO_LOGO)
@pytest.mark.parametrize(("language", "word"), [("en", "no picture we can use"), ("zh-hans", "不能用作徽标")])
def test_what_is_no_picture_is_refused_at_its_field(cast: Cast, what: str, language: str, word: str) -> None:
    answer = save(cast.ada, logo=NO_LOGO[what], name="logo.svg" if what == "svg" else "logo.png", language=language)
    assert word in errors(answer)["logo_file"][0]
    assert "Starbridge Care" in answer.content.decode(), "what was typed stays"
    assert not SiteSettings.objects.exists()


MISTAKES = [
    ("colour", "blue", "six digits", "六位"),
    ("colour", "#ffee00", "Too pale", "太浅"),
    ("hotline", "call me", "telephone number", "电话号码"),
    ("public_url", "javascript:alert(1)", "URL", "URL"),
    ("default_zone", "Mars/Base", "not a time zone", "时区"),
    ("name_en", "  ", "Write what", "请填写"),
    ("name_en", "x" * 41, "character too many", "字"),
    ("support_mailbox", "nobody", "email", "Email"),
]


@pytest.mark.parametrize(("field", "said", "english", "chinese"), MISTAKES)
def test_a_mistake_is_named_at_its_field_in_the_readers_language(
    cast: Cast, field: str, said: str, english: str, chinese: str
) -> None:
    for language, word in (("en", english), ("zh-hans", chinese)):
        assert word in errors(save(cast.ada, language=language, **{field: said}))[field][0]
    assert not SiteSettings.objects.exists()


def test_two_administrators_do_not_overwrite_each_other(cast: Cast) -> None:
    save(cast.ada)
    second = save(cast.abe, name_en="Other")
    assert "Somebody else changed" in str(errors(second)["__all__"])
    assert SiteSettings.objects.get().name_en == "Starbridge Care"


def test_strangers_and_new_people_are_offered_the_houses_language_and_zone(cast: Cast) -> None:
    save(cast.ada)
    assert Client(headers={"accept-language": "fr"}).get("/accounts/login/").headers["Content-Language"] == "zh-hans"
    assert Client(headers={"accept-language": "en-GB"}).get("/accounts/login/").headers["Content-Language"] == "en"
    client = Client()
    client.force_login(cast.lee)
    assert 'value="Europe/Berlin"' in client.get("/people/invite").content.decode()


def test_a_page_pays_no_statement_for_it(cast: Cast, django_assert_num_queries: Any) -> None:
    save(cast.ada)
    with django_assert_num_queries(1):
        site.current()
    with django_assert_num_queries(0):
        assert site.current().name_en == "Starbridge Care"
        Client().get("/accounts/login/")


@pytest.mark.parametrize("own", ["#25508f", "#0b6e4f", "#000000", "#767676", "#7a1fa2", "#b00020"])
def test_a_colour_is_readable_by_day_and_by_night(own: str) -> None:
    made = colour.tokens(own)
    for surface in (colour.LIGHT, colour.LIGHT_WELL, made["accent-soft"][0]):
        assert colour.contrast(made["accent"][0], surface) >= 4.5
    for surface in (colour.DARK, colour.DARK_WELL, made["accent-soft"][1]):
        assert colour.contrast(made["accent"][1], surface) >= 4.5
    for look in (0, 1):
        assert colour.contrast(made["on-accent"][look], made["accent"][look]) >= 4.5


def test_contrast_is_what_the_standard_says() -> None:
    assert colour.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colour.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert colour.mixed("#000000", "#ffffff", 0.5) == "#808080"
