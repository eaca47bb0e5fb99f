"""How mails look: every element carries its own style, because many mail programs know no other.

The values are those of static/css/tokens.css; dark ones stand in a media query (templates/email/_base.html) that
programs with a dark mode of their own read. `inlined` dresses what richtext has rendered.
"""

import re
from functools import lru_cache

from django.utils.safestring import SafeString, mark_safe

LATIN_FIRST = "-apple-system,'Segoe UI','Noto Sans','PingFang SC','Noto Sans CJK SC','Microsoft YaHei',sans-serif"
HAN = "-apple-system,'Segoe UI','PingFang SC','Noto Sans CJK SC','Noto Sans SC','Microsoft YaHei',sans-serif"
MONO = "ui-monospace,'SF Mono','Cascadia Mono',Menlo,Consolas,'Noto Sans Mono',monospace"
INK, INK_2, INK_3, LINE, WELL, PAPER, RAIL = "#1d1c1a", "#514e48", "#68645c", "#e4e1da", "#f0eeea", "#ffffff", "#f7f6f3"

STYLES = {
    "ground": f"margin:0;padding:0;background-color:{RAIL};",
    "around": f"padding:24px 12px;background-color:{RAIL};",
    "sheet": f"width:100%;max-width:600px;background-color:{PAPER};border:1px solid {LINE};border-radius:4px;",
    "head": f"padding:20px 28px;border-bottom:1px solid {LINE};",
    "site": f"font:600 16px/24px FONT;color:{INK};",
    "logo": "display:block;border:0;max-height:40px;width:auto;",
    "main": "padding:24px 28px 28px;",
    "marker": f"margin:0;padding:0 0 12px;font:400 12px/16px FONT;color:{INK_3};text-align:center;",
    "h1": "margin:0 0 8px;font:600 20px/28px FONT;",
    "ink": f"color:{INK};",
    "late": "color:#b02a1c;",
    "soon": "color:#835000;",
    "h2": f"margin:0 0 8px;font:600 14px/20px FONT;color:{INK};",
    "text": f"margin:0 0 12px;font:400 15px/24px FONT;color:{INK};",
    "quiet": f"margin:0;font:400 13px/20px FONT;color:{INK_3};",
    "number": f"margin:0;font:600 18px/26px FONT;color:{INK};",
    "label": f"margin:0;font:400 13px/20px FONT;color:{INK_2};",
    "promise": f"width:100%;border-top:2px solid {INK};border-bottom:2px solid {INK};margin:16px 0 8px;",
    "zone": f"margin:0 0 20px;font:400 13px/20px FONT;color:{INK_3};",
    "whole": "white-space:nowrap;",
    "cell": "padding:10px 12px 10px 0;vertical-align:top;",
    "facts": f"width:100%;margin:16px 0 20px;border-top:1px solid {LINE};",
    "fact": f"padding:8px 12px 8px 0;border-bottom:1px solid {LINE};font:400 13px/20px FONT;color:{INK_2};"
    "vertical-align:top;width:30%;",
    "value": f"padding:8px 0;border-bottom:1px solid {LINE};font:400 14px/20px FONT;color:{INK};vertical-align:top;"
    "word-break:break-word;",
    "said": f"margin:20px 0;border-top:1px solid {LINE};border-bottom:1px solid {LINE};width:100%;",
    "words": f"padding:4px 0 4px;font:400 15px/24px FONT;color:{INK};word-break:break-word;overflow-wrap:anywhere;",
    "note": "padding:12px 16px;background-color:#fff7d6;border:1px dashed #a37a00;word-break:break-word;"
    f"overflow-wrap:anywhere;font:400 15px/24px FONT;color:{INK};",
    "note_word": "margin:0 0 4px;font:600 13px/20px FONT;color:#5e4700;",
    "line": f"padding:14px 0;border-bottom:1px solid {LINE};",
    "under": f"margin:16px 0 0;font:400 13px/20px FONT;color:{INK_3};",
    "preview": "display:none;max-height:0;overflow:hidden;mso-hide:all;",
    "matter": f"margin:0 0 16px;font:400 14px/20px FONT;color:{INK_2};word-break:break-word;",
    "file": f"padding:6px 0;border-top:1px solid {LINE};font:400 13px/20px FONT;color:{INK_2};word-break:break-word;",
    "earlier": "margin:28px 0 0;",
    "past": f"margin:2px 0 14px;font:400 13px/20px FONT;color:{INK_2};word-break:break-word;",
    "push": "margin:4px 0 0;",
    "button": "border-radius:4px;background-color:ACCENT;",
    "press": "display:inline-block;padding:10px 20px;font:600 15px/24px FONT;color:#ffffff;text-decoration:none;"
    "border-radius:4px;border:1px solid ACCENT;background-color:ACCENT;",
    "link": "color:ACCENT;text-decoration:underline;",
    "foot": f"padding:16px 28px 20px;border-top:1px solid {LINE};",
}
# What richtext may leave in a text.
DRESS = {
    "p": "margin:0 0 12px;",
    "ul": "margin:0 0 12px;padding-left:24px;",
    "ol": "margin:0 0 12px;padding-left:24px;",
    "pre": f"margin:0 0 12px;padding:8px 12px;background-color:{WELL};font:13px/20px {MONO};white-space:pre-wrap;"
    "word-break:break-word;border-radius:4px;",
    "code": f"font-family:{MONO};font-size:13px;background-color:{WELL};",
    "blockquote": f"margin:0 0 12px;padding-left:12px;border-left:2px solid {LINE};color:{INK_2};",
    "table": "border-collapse:collapse;margin:0 0 12px;",
    "th": f"padding:4px 8px;border:1px solid {LINE};text-align:left;font-weight:600;",
    "td": f"padding:4px 8px;border:1px solid {LINE};",
    "h3": "margin:0 0 8px;font-size:16px;line-height:24px;",
    "h4": "margin:0 0 8px;font-size:15px;line-height:24px;",
    "h5": "margin:0 0 8px;font-size:15px;line-height:24px;",
    "h6": "margin:0 0 8px;font-size:15px;line-height:24px;",
    "hr": f"border:0;border-top:1px solid {LINE};margin:12px 0;",
    "a": "color:ACCENT;",
}
# The classes by which the dark query finds them.
DARK = {"pre": "well", "code": "well", "a": "link", "blockquote": "ink2", "th": "edge", "td": "edge"}
# A whole tag with its attributes, so that nothing is ever put into a value that looks like a tag.
TAG = re.compile(r'<(/?[a-z0-9]+)((?:[^>"]|"[^"]*")*)>')


@lru_cache(maxsize=16)
def styles(accent: str, *, chinese: bool) -> dict[str, SafeString]:
    """Every style by name, in a colour and a script."""
    font = HAN if chinese else LATIN_FIRST
    # Our own words and a checked colour: nothing in it needs escaping.
    return {name: SafeString(each.replace("FONT", font).replace("ACCENT", accent)) for name, each in STYLES.items()}


def inlined(rendered: str, accent: str) -> SafeString:
    """What richtext has rendered, each element with its style."""
    dressed = TAG.sub(lambda tag: f"<{_dress(tag[1], accent)}{tag[2]}>", rendered)
    return mark_safe(dressed)  # noqa: S308, cleaned by richtext, and no more than styles were added


@lru_cache(maxsize=256)
def _dress(tag: str, accent: str) -> str:
    if tag not in DRESS:
        return tag
    marked = f' class="{DARK[tag]}"' if tag in DARK else ""
    return f'{tag}{marked} style="{DRESS[tag].replace("ACCENT", accent)}"'


@lru_cache(maxsize=16)
def on_dark(accent: str) -> str:
    """The accent as a link has it on dark ground: half way to white."""
    parts = [int(accent[n : n + 2], 16) for n in (1, 3, 5)]
    return "#" + "".join(f"{round(part + (255 - part) * 0.6):02x}" for part in parts)
