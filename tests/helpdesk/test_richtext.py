"""X-02 of the security paper, and what engineers paste."""

import random
import re
import threading
import time
from html.parser import HTMLParser

import nh3
import pytest

from helpdesk import richtext
from helpdesk.richtext import plain, render

TAGS = set("p br strong em del code pre blockquote ul ol li table thead tbody tr th td h3 h4 h5 h6 hr a".split())  # noqa: SIM905
REL = "noopener noreferrer nofollow ugc"
SAFE_LINK = re.compile(r"(?:https?|mailto):", re.IGNORECASE)


class Reader(HTMLParser):
    """Reads HTML as text and refuses all that is not on the list; the list is written out again here on purpose."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        names = dict(attrs)
        assert set(names) <= ({"href", "rel"} if tag == "a" else set()), (tag, attrs)
        if tag == "a":
            assert names["rel"] == REL
        if "href" in names:
            assert SAFE_LINK.match(names["href"] or ""), names["href"]
            self.links.append(names["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        assert tag in TAGS

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    handle_pi = unknown_decl = handle_comment


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def cleaned_again(html: str) -> str:
    return nh3.clean(
        html, tags=TAGS, attributes={"*": set(), "a": {"href"}}, url_schemes={"http", "https", "mailto"}, link_rel=REL
    )


PAYLOADS = [
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](java\x01script:alert(1))",
    "[x]( javascript:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](javascript&#58;alert(1))",
    "[x](javascript&#x3a;alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A&#x61&#x76&#x61script:alert(1))",
    "[x](java&Tab;script:alert(1))",
    "[x](java&NewLine;script:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](<java\nscript:alert(1)>)",
    "[x](javascript://https://example.com/%0aalert(1))",
    "[x](javascript:alert(1)//http://)",
    "[x](\\javascript:alert(1))",
    "[x](java\\script:alert(1))",
    "[x](javascript\\:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](data:image/svg+xml,<svg onload=alert(1)>)",
    "[x](blob:https://example.com/1)",
    "[x](file:///etc/passwd)",
    "[x](filesystem:https://example.com/t/x)",
    "[x](view-source:https://example.com)",
    "[x](//evil.example/a)",
    "[x](\\\\evil.example\\a)",
    "[x](/tickets/HD-1/close)",
    "[x](?lang=zh)",
    "[x](#top)",
    '[x](https://a.example/" onmouseover="alert(1))',
    "[x](https://a.example/' onmouseover='alert(1))",
    '[x](https://a.example/ "title\\" onmouseover=alert(1) x=\\"")',
    "[x](https://a.example/ 't\" onclick=\"alert(1)')",
    '[x](<https://a.example/" onclick="alert(1)>)',
    '[x" onclick="alert(1)](https://a.example)',
    "[<img src=x onerror=alert(1)>](https://a.example)",
    "![x](javascript:alert(1))",
    '![x" onerror="alert(1)](https://a.example/x.png)',
    '![x](https://a.example/x.png" onerror="alert(1))',
    "![![x](javascript:alert(1))](javascript:alert(2))",
    "[![x](javascript:alert(1))](javascript:alert(2))",
    "[a [b](javascript:alert(1)) c](javascript:alert(2))",
    "[x]: javascript:alert(1)\n\n[x] [x][x] ![x][x]",
    "<javascript:alert(1)>",
    "<javascript://alert(1)>",
    "<data:text/html,x>",
    '<https://a.example/" onclick="alert(1)>',
    "<https://a.example/'onclick='alert(1)>",
    '<a@b.example" onclick="alert(1)>',
    'https://a.example/"onclick="alert(1)',
    "https://a.example/'onclick='alert(1)'",
    "https://a.example/<script>alert(1)</script>",
    "javascript:alert(1)//https://a.example",
    "<script>alert(1)</script>",
    "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img/src=`x`onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><animate href=#x attributeName=href values=javascript:alert(1) /></svg>",
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)>",
    "<form action=javascript:alert(1)><button>x</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<base href=javascript:alert(1)//>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import 'javascript:alert(1)'</style>",
    "<p style=background:url(javascript:alert(1)) id=x class=y>x</p>",
    '<!--<img src="--><img src=x onerror=alert(1)//">',
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo '<script>alert(1)</script>' ?>",
    "<!DOCTYPE html><html><body onload=alert(1)>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<template><script>alert(1)</script></template>",
    "<textarea></textarea><script>alert(1)</script>",
    "<a href=javascript:alert(1)>x</a>",
    "```<script>\nalert(1)\n</script>\n```",
    '```html" onclick="alert(1)\n<b>\n```',
    "```\n</code></pre><script>alert(1)</script>\n```",
    "    </code></pre><script>alert(1)</script>",
    "`</code><script>alert(1)</script>`",
    "``` `<script>` ```",
    "| a | b |\n|:-|-:|\n| <script>alert(1)</script> | [x](javascript:alert(1)) |",
    "| a |\n|-|\n| `|<img src=x onerror=alert(1)>` |",
    "> <script>alert(1)</script>\n> [x](javascript:alert(1))",
    "- <img src=x onerror=alert(1)>\n    - [x](javascript:alert(1))",
    "# <script>alert(1)</script>",
    "<script>alert(1)</script>\n===",
    "**<b onclick=alert(1)>**",
    "\x02wzxhzdk:0\x03 \x02klzzwxh:0000\x03 \x0260\x03script\x0262\x03",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&amp;lt;script&amp;gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "＜script＞alert(1)＜/script＞",
    "\ud83c<script>\udfff",
    "\x00<scr\x00ipt>alert(1)</scr\x00ipt>",
    "{{7*7}} {% load x %} ${7*7}",
    "</p></div></body><script>alert(1)</script>",
    "{: onclick=alert(1) #id .class }\n\n# x {#id onclick=alert(1)}",
    "[^1]\n\n[^1]: <script>alert(1)</script>",
    "<details>\n<summary>x</summary>\n\n[x](javascript:alert(1))\n</details>",
]


def test_the_corpus_is_large_enough() -> None:
    assert len(set(PAYLOADS)) >= 60


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_becomes_more_than_text(payload: str) -> None:
    html = render(payload)
    links = read(html).links
    assert all(link.startswith(("https://a.example", "https://evil.example", "mailto:")) for link in links)
    assert cleaned_again(html) == html


def test_mutated_payloads_stay_harmless() -> None:
    """Ten thousand crossings of the corpus; the seed is fixed, so a failure comes again."""
    chance = random.Random(20260302)
    spice = [
        *"<>\"'`()[]!*_\\&;:#\n\t \x00\x02\x03|~-",
        "```",
        "\n\n",
        "    ",
        "javascript:",
        "https://",
        "&#58;",
        "![",
        "\ud800",
    ]
    for _ in range(10_000):
        text = "".join(_mutated(chance.choice(PAYLOADS), spice, chance) for _ in range(chance.randint(1, 3)))
        html = render(text)
        read(html)
        assert cleaned_again(html) == html, text


def _mutated(payload: str, spice: list[str], chance: random.Random) -> str:
    for _ in range(chance.randint(0, 6)):
        place = chance.randint(0, len(payload))
        end = place + chance.choice([0, 0, 0, 1, 2, 8])
        payload = payload[:place] + chance.choice(spice) + payload[end:]
    return payload


# --- Links -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "link"),
    [
        ("see https://example.com/a_b_c.", "https://example.com/a_b_c"),
        ("请看https://example.com/a?b=1&c=2，谢谢", "https://example.com/a?b=1&c=2"),
        ("(https://example.com/x_(1))", "https://example.com/x_(1)"),
        ("**https://example.com/**", "https://example.com/"),
        ("HTTPS://example.com/!", "https://example.com/"),
        ("https://example.com/?a=1&lt=2", "https://example.com/?a=1&lt=2"),
        ("https://example.com/?a=1&lt;=2", "https://example.com/?a=1&lt;=2"),
        ("<https://example.com/a b>", "https://example.com/a b"),
        ("[x](htt\nps://example.com/lo\nng)", "https://example.com/long"),
        ("[me](mailto:a@example.com)", "mailto:a@example.com"),
        ('[docs](http://example.com "title")', "http://example.com"),
        ("![plan](https://example.com/plan.png)", "https://example.com/plan.png"),
        ("[https://example.com/a](https://example.com/b)", "https://example.com/b"),
        ("[![x](https://example.com/i.png)](https://example.com/l)", "https://example.com/l"),
    ],
)
def test_a_link_is_made_once_and_leads_where_it_says(typed: str, link: str) -> None:
    links = [found.replace("HTTPS", "https") for found in read(render(typed)).links]
    assert links == [link]


@pytest.mark.parametrize(
    "typed", ["`https://example.com`", "    https://example.com", "xhttps://example.com", "https://"]
)
def test_no_link_is_made_of_code_or_of_half_an_address(typed: str) -> None:
    reader = read(render(typed))
    assert reader.links == []
    assert reader.text.strip() == typed.strip(" `")


def test_an_address_is_shown_as_it_was_typed() -> None:
    typed = "https://example.com/_a_/*b*/[c]?e=&lt;"
    assert read(render(typed)).text == typed


def test_an_image_is_a_link_with_its_title() -> None:
    assert read(render("![机房平面图](https://example.com/a.png)")).text == "机房平面图"
    assert read(render("![](https://example.com/a.png)")).text == "https://example.com/a.png"


# --- What engineers paste --------------------------------------------------------------------------------------------

XML = '<config a="1 &amp; 2">\n\t<host>10.0.0.1</host> &lt;&nbsp;\n</config>'


@pytest.mark.parametrize("fence", ["```", "~~~", "`````"])
def test_fenced_code_keeps_every_character(fence: str) -> None:
    html = render(f"Before\n{fence}xml\n{XML}\n{fence}\nAfter")
    assert "<pre><code>" in html
    assert XML in read(html).text


def test_a_fence_that_nobody_closed_runs_to_the_end() -> None:
    assert read(render(f"```\n{XML}")).text.strip() == XML


def test_an_indented_fence_stays_in_its_list() -> None:
    html = render("1. Run\n   ```\n   kubectl get <pod>\n     -o yaml\n   ```\n2. Wait")
    assert html.count("<ol>") == 1
    assert "<pre><code>kubectl get &lt;pod&gt;\n  -o yaml\n</code></pre>" in html


@pytest.mark.parametrize(
    "typed",
    [
        'The <b>page</b> says &lt;unknown&gt; & <a href="x">this</a> &copy; <!-- note -->',
        "<div>\n<p>&nbsp;</p>\n</div>",
        "<script>\nalert(1)\n</script>",
        "<!-- log -->",
    ],
)
def test_html_and_entities_are_shown_as_typed(typed: str) -> None:
    assert read(render(typed)).text == typed


def test_entities_stay_beside_and_within_marks() -> None:
    html = render("*&lt;* &gt; `&amp;` [&quot;](https://a.example)\n\n    &nbsp;")
    assert read(html).text.split() == ["&lt;", "&gt;", "&amp;", "&quot;", "&nbsp;"]


@pytest.mark.parametrize(
    "typed",
    [
        "[ERROR]: full",
        "#!/bin/sh",
        "#123 is open",
        "snake_case_name",
        "From: <ana@example.com>",
        "C:\\temp\\new",
        "2 * 3 * 4",
    ],
)
def test_what_looks_like_a_mark_and_is_none_stays(typed: str) -> None:
    assert read(render(typed)).text == typed


def test_chinese_with_marks() -> None:
    html = render("# 无法登录\n\n**重要**：请在*今天*处理。\n第二行\n\n> 引用")
    assert "<h3>无法登录</h3>" in html
    assert "<strong>重要</strong>：请在<em>今天</em>处理。<br>\n第二行" in html
    assert "<blockquote>" in html


def test_headings_stand_below_those_of_the_page() -> None:
    html = render("# a\n\n## b\n\n### c\n\n#### d\n\n##### e\n\n###### f\n\ng\n=")
    assert re.findall(r"<(h\d)>", html) == ["h3", "h4", "h5", "h6", "h6", "h6", "h3"]


def test_a_table_has_its_cells() -> None:
    html = render("| 主机 | state |\n|:--|--:|\n| a | <down> |")
    assert re.findall(r"<t[hd]>(.*?)</t[hd]>", html) == ["主机", "state", "a", "&lt;down&gt;"]


def test_lists_nest() -> None:
    html = render("- a\n    - b\n- c\n\n1. d")
    assert (html.count("<ul>"), html.count("<ol>"), html.count("<li>")) == (2, 1, 4)


def test_line_ends_of_every_system_break_the_line() -> None:
    assert render("a\r\nb\rc\nd").count("<br>") == 3


# --- Hostile lengths -------------------------------------------------------------------------------------------------

TOKENS = [
    "[",
    "![",
    "![a](",
    "[a](",
    "*",
    "**a",
    "***a*",
    "_",
    "__a",
    "`",
    "``a",
    "<",
    "<a",
    "<!--",
    "!",
    "\\",
    "&",
    "# ",
]
TOKENS += [
    "#",
    "> ",
    ">",
    "- ",
    "1. ",
    "+ a\n",
    "    ",
    "|",
    "|-",
    "---\n",
    "=\n",
    "~~~\n",
    "~~~a\n",
    "```a\n",
    "(",
    "'",
]
TOKENS += [
    "http://a ",
    "http://a)",
    "<http://a>",
    "[a]: b\n",
    "a\n",
    "a\n\n",
    "|a|b|\n|-|-|\n\n",
    "* * ",
    "- a\n\n    ",
]


def test_fifty_thousand_hostile_characters_take_a_moment() -> None:
    """Each takes well under a second; unguarded, many take minutes. The guard is for the whole."""
    begin = time.monotonic()
    for token in TOKENS:
        read(render((token * 50_000)[:50_000]))
        # The same in paragraphs that stay just below the caps.
        read(render(((token * 190)[:950] + "a" * 50 + "\n\n") * 49))
    assert time.monotonic() - begin < 120


def test_lists_that_grow_a_level_with_each_line() -> None:
    deep = "".join(" " * 4 * level + "- a\n" for level in range(60))
    read(render(deep))
    assert render("".join(" " * 4 * level + "- a\n" for level in range(10))).count("<ul>") == 10


def test_a_text_too_long_to_be_parsed_is_shown_in_plain_paragraphs() -> None:
    html = render("**a** <b>\nline\n\n\n[x](https://a.example)" + "x" * 50_000)
    assert html.startswith("<p>**a** &lt;b&gt;<br>\nline</p>\n<p>[x](https://a.example)xxx")
    assert cleaned_again(html) == html


def test_only_the_heavy_paragraph_is_shown_plain() -> None:
    log = "\n".join(f"[INFO] [{n}] *started* <ok>" for n in range(150))
    html = render(f"**Log** of today\n\n{log}\n\nand *done*\n\n```\n{log}\n```")
    assert "<strong>Log</strong>" in html
    assert "<em>done</em>" in html
    assert "<p>[INFO] [0] *started* &lt;ok&gt;<br>" in html
    assert "<em>started" not in html
    assert html.count("<pre><code>") == 1


@pytest.mark.parametrize(
    "heavy",
    ["*a* " * 101, "*a* " * 15 + "word " * 1_500, "*a*\n" + "word\n" * 1_000],
    ids=["many of one mark", "marks in a long paragraph", "many lines"],
)
def test_a_paragraph_just_beyond_a_cap_is_plain(heavy: str) -> None:
    assert "<em>" not in render(heavy)
    assert "<em>" in render(heavy[:100])


def test_a_heavy_paragraph_of_indented_code_stays_code() -> None:
    code = "\n".join("    a[i][j] = b[j][i];" for _ in range(60))
    assert render(code) == "<pre><code>" + code + "\n</code></pre>"


def test_quotes_nested_too_deep_are_text() -> None:
    assert "<blockquote>" not in render(">" * 21 + " a")
    assert render(">" * 20 + " a").count("<blockquote>") == 20


# --- The parser ------------------------------------------------------------------------------------------------------


def test_a_parser_that_fails_leaves_the_words_and_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    render("warm")
    spoiled = richtext._parser()
    monkeypatch.setattr(spoiled, "convert", lambda source: 1 / 0)
    assert render("**a** <b>") == "<p>**a** &lt;b&gt;</p>"
    assert render("**a**") == "<p><strong>a</strong></p>"
    assert richtext._parser() is not spoiled


def test_one_text_leaves_nothing_behind_for_the_next() -> None:
    alone = render("```\na\n```\n*b*")
    render("```\nother\n```\n[x]: y\n**open")
    assert render("```\na\n```\n*b*") == alone
    assert richtext._parser().htmlStash.html_counter == 1


def test_threads_do_not_mix_their_texts() -> None:
    texts = [f"# {n}\n\n```\ncode {n}\n```\n**{n}**" for n in range(20)]
    expected = [render(text) for text in texts]
    results: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: results.append([render(text) for text in texts for _ in range(5)][::5]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 4


# --- Excerpts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("# 无法登录\n\n**重要**：见 [文档](https://a.example/x)", "无法登录 重要：见 文档"),
        ("> quoted\n> - item\n\nsnake_case `code`", "quoted item snake_case code"),
        ("```json\n{}\n```", "{}"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("\ud800\x00a", "\ufffda"),
        ("", ""),
    ],
)
def test_an_excerpt_is_one_line_without_marks(source: str, line: str) -> None:
    assert plain(source, 80) == line


def test_an_excerpt_is_cut_with_a_sign() -> None:
    assert plain("word " * 1_000, 20) == "word word word word…"
    assert len(plain("汉" * 100_000, 50)) == 50
