"""/docs/SLA-POLICY: in both languages, for everybody, with the figures that the desk really keeps."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

import sla
from docs import render
from docs.figures import FIGURES
from docs.tables import calendar_words
from docs.views import in_force
from helpdesk import site
from helpdesk.models import SiteSettings
from sla.models import Priority, Target
from tests.cast import Cast

pytestmark = pytest.mark.django_db
PAGE = "/docs/SLA-POLICY"
TEXTS = sorted(render.CONTENT.rglob("*.md"))
# A promise in the text itself: a number with its unit.
PROMISE = re.compile(r"\d\s*(?:分钟|小时|天|个工作日|秒|%|％|minutes?|hours?|days?|seconds?|working)", re.IGNORECASE)
# As the checklist prints them.
SEED_ZH = [
    "≤ 15分钟",
    "≤ 4小时",
    "≤ 1小时",
    "≤ 8小时",
    "≤ 24小时",
    "≤ 72小时",
    "每10分钟",
    "每15分钟",
    "近30天",
    "99.9%",
    "24×7",
]
SEED_ZH += [
    "生产环境完全中断，业务严重受影响",
    "生产环境部分功能受影响",
    "非关键功能问题或性能下降",
    "一般性咨询、功能请求或轻微问题",
]
SEED_EN = ["≤ 15 minutes", "≤ 4 hours", "≤ 1 hour", "≤ 8 hours", "≤ 24 hours", "≤ 72 hours", "every 10 minutes"]
SEED_EN += ["every 15 minutes", "last 30 days", "99.9%", "24×7", "50%, 75%, 90%"]


def read(language: str, **query: str) -> str:
    answer = Client().get(PAGE, {"lang": language, **query})
    assert answer.status_code == 200
    return answer.content.decode()


def words(page: str) -> str:
    article = page[page.index('<article class="prose">') : page.index("</article>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", article)))


def tight(text: str) -> str:
    return text.replace(" ", "")


def test_a_stranger_reads_it_in_either_language() -> None:
    chinese, english = Client().get(PAGE, {"lang": "zh-hans"}), Client().get(PAGE, {"lang": "en"})
    assert chinese.headers["Content-Language"] == "zh-hans"
    assert "第2章 响应时间SLA" in words(chinese.content.decode())
    assert "2 Response-time SLA" in words(english.content.decode())
    assert Client().get("/docs/NOTHING").status_code == 404


def test_whoever_is_logged_in_may_ask_for_the_other_language(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.cora)
    assert "目的与适用范围" in client.get(PAGE).content.decode()
    assert "Purpose and scope" in client.get(PAGE, {"lang": "en"}).content.decode()


def test_with_the_defaults_every_figure_of_the_checklist_stands_in_it() -> None:
    chinese, english = words(read("zh-hans")), words(read("en"))
    assert [seed for seed in SEED_ZH if seed not in chinese] == []
    assert [seed for seed in SEED_EN if seed not in english] == []
    for chapter in (
        "第1章",
        "第2章",
        "第3章",
        "第4章",
        "第5章",
        "第6章",
        "第7章",
        "第8章",
        "第9章",
        "附录A",
        "附录B",
        "附录C",
        "附录D",
    ):
        assert chapter in chinese


def test_both_languages_say_the_targets_of_the_rows() -> None:
    for row in Target.objects.select_related("priority"):
        hours, minutes = row.resolution_time_hours, row.response_time_minutes
        said = f"{minutes // 60}小时" if minutes % 60 == 0 else f"{minutes}分钟"
        line = f"{row.priority.label_zh}≤{said}≤{hours}小时{row.description_zh}"
        assert line in tight(words(read("zh-hans")))
        assert row.description_en in words(read("en"))


@pytest.mark.parametrize("text", TEXTS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_no_text_carries_a_promise_of_its_own(text: Path) -> None:
    found = [(n, line) for n, line in enumerate(text.read_text().splitlines(), 1) if PROMISE.search(line)]
    assert found == []


def tree(language: str, name: str) -> list[str]:
    """Levels and ids, in order."""
    lines = (render.CONTENT / language / f"{name}.md").read_text().splitlines()
    return [re.sub(r"^(#+).*?(\{#[^}]+\})?$", r"\1 \2", line) for line in lines if line.startswith("#")]


@pytest.mark.parametrize("name", render.NAMES + render.GUIDES)
def test_both_languages_have_the_same_headings(name: str) -> None:
    chinese, english = tree("zh-hans", name), tree("en", name)
    assert chinese == english
    assert [f"## {{#{n}}}" for n in range(1, 10)] == [line for line in chinese if re.fullmatch(r"## \{#\d\}", line)]
    assert all("{#" in line for line in chinese[1:]), "each heading has an id of its own"


def test_anchors_and_links_within_lead_somewhere() -> None:
    for language in render.LANGUAGES:
        page = read(language)
        ids = set(re.findall(r'id="([^"]+)"', page))
        assert {str(n) for n in range(1, 10)} <= ids
        assert [link for link in re.findall(r'href="#([^"]+)"', page) if link not in ids | {"main"}] == []


def test_the_foot_tells_version_and_hash_of_what_was_read() -> None:
    page = read("en")
    now = timezone.now()
    document = render.render("SLA-POLICY", "en", in_force(now), now)
    assert document.sha256 in page
    assert "<dt>Version</dt><dd>1</dd>" in page
    assert str(document.html) in page


def test_what_an_administrator_says_of_the_site_stands_in_it() -> None:
    site.hold(SiteSettings(name_en="Star<b>bridge", hotline="+86 400 000 1234", support_mailbox="care@star.example"))
    text = read("en")
    assert "Star&lt;b&gt;bridge" in text
    assert "Star<b>" not in text
    assert "+86 400 000 1234" in words(text)
    assert "care@star.example" in words(text)


def test_labels_are_read_as_they_stand_and_never_as_markup() -> None:
    Priority.objects.filter(code="critical").update(label_en="P0 **now** <script>")
    page = read("en")
    assert "P0 **now** &lt;script&gt;" in page
    assert "<script>P0" not in page


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: Any) -> Path:
    for language in render.LANGUAGES:
        (tmp_path / language).mkdir()
        (tmp_path / language / "SLA-POLICY.md").write_text("# Title\n\n## 1 One {#1}\n\nAll well.\n")
    monkeypatch.setattr(render, "CONTENT", tmp_path)
    return tmp_path


FAULTS = [
    ("We answer in {{ sla.criticl.response }}.", "sla.criticl.response"),
    ("We answer in {{ sla.urgent.response }}.", "sla.urgent.response"),
    ("We answer in {{}}.", "''"),
    ("We answer in {{ sla.version }.", "not closed"),
    ("We answer in sla.version }}.", "not closed"),
]


@pytest.mark.parametrize(("line", "named"), FAULTS)
def test_an_unknown_tag_is_an_error_that_names_it(texts: Path, line: str, named: str) -> None:
    (texts / "en" / "SLA-POLICY.md").write_text(f"# Title\n\n## 1 One {{#1}}\n\n{line}\n")
    with pytest.raises(render.Faulty, match=re.escape(named)) as error:
        Client().get(PAGE, {"lang": "en"})
    assert "en/SLA-POLICY.md, line 5" in str(error.value)


def test_every_figure_is_known_in_both_languages() -> None:
    for language in render.LANGUAGES:
        used = set(render.TAG.findall((render.CONTENT / language / "SLA-POLICY.md").read_text()))
        assert {tag.strip() for tag in used} <= set(FIGURES)


def test_reading_it_costs_few_statements(django_assert_num_queries: Any) -> None:
    read("en")
    with django_assert_num_queries(8):
        read("en")


def test_an_older_version_that_is_none_is_not_found() -> None:
    for number in ("2", "0", "x", "9" * 30, "-1", "１"):
        assert Client().get(PAGE, {"version": number}).status_code == 404, number
    assert Client().get(PAGE, {"version": "1"}).status_code == 200


def test_the_index_lists_it() -> None:
    for language, title in (("en", "Service level policy"), ("zh-hans", "服务级别政策")):
        page = Client().get("/docs/", {"lang": language}).content.decode()
        assert title in page
        assert PAGE in page


def test_a_guide_stands_on_the_shelf_and_belongs_to_no_version() -> None:
    for language, first, last in (
        ("en", "1 Prerequisites", "12 China regions"),
        ("zh-hans", "第1步 前提", "第12步 中国区"),
    ):
        assert "/docs/AWS-HEALTH-SETUP" in Client().get("/docs/", {"lang": language}).content.decode()
        page = Client().get("/docs/AWS-HEALTH-SETUP", {"lang": language}).content.decode()
        assert first in words(page)
        assert last in words(page)
        assert re.search(r"(every|每) 15 (minutes|分钟)", words(page))
        ids = set(re.findall(r'id="([^"]+)"', page))
        assert {str(n) for n in range(1, 13)} <= ids
        assert "?version=" not in page


def test_a_calendar_of_office_hours_lists_its_hours_and_days() -> None:
    shipped = json.loads((Path(sla.__file__).parent / "calendars.json").read_text())["CN-8x5"]
    with translation.override("zh-hans"):
        hours, days = calendar_words({"kind": "hours", **shipped})
    assert hours == ["周一–周五 09:00–12:00, 13:00–18:00"]
    assert "2026-10-01–10-07" in days
    assert "2026-01-04 调休上班" in days
