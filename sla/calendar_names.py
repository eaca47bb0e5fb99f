"""What the holidays are called in the reader's language: those that everybody knows; others as somebody typed them."""

from django.utils.translation import gettext_lazy as _

KNOWN = {
    "元旦": _("New Year's Day"),
    "春节": _("Spring Festival"),
    "清明节": _("Qingming Festival"),
    "劳动节": _("Labour Day"),
    "端午节": _("Dragon Boat Festival"),
    "中秋节": _("Mid-Autumn Festival"),
    "国庆节": _("National Day"),
}


def called(name: str) -> str:
    return str(KNOWN.get(name, name))
