"""What a demo ticket is made of: one problem as customers and engineers would put it, with blanks for names and figures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scenario:
    """A problem from its filing to its end. Texts have blanks such as {db}; `LEXICON` fills them.

    `first` is the engineer's first answer, `ask` a question that waits for the customer and `answer` what comes back,
    `note` is for colleagues, `solve` ends it.
    """

    service: str
    impact: str
    urgency: str
    title: str
    text: str
    first: str
    ask: str
    answer: str
    note: str
    solve: str
    category: str = "technical"
    tags: tuple[str, ...] = ()


# What fills the blanks, whatever the language: names of things and figures.
LEXICON = {
    "db": ("orders-prod", "crm-main", "wms-core", "billing-db", "member-center", "trade-history"),
    "cluster": ("prod-order", "gateway-eks", "ml-train", "iot-ingest", "mes-prod", "shop-blue"),
    "region": ("cn-north-1", "cn-northwest-1", "ap-southeast-1", "eu-central-1", "us-east-1", "ap-northeast-1"),
    "bucket": ("orders-export", "media-origin", "audit-archive", "lake-raw", "firmware-ota", "invoice-pdf"),
    "fn": ("resize-image", "order-webhook", "sync-stock", "notify-driver", "parse-invoice", "token-refresh"),
    "host": ("web-03", "api-11", "batch-2", "sap-app-1", "etl-07", "jump-01"),
    "role": ("ci-deploy", "etl-runner", "readonly-audit", "backup-operator", "k8s-node", "data-science"),
    "ip": ("10.20.4.17", "10.64.0.9", "172.31.18.4", "10.8.33.120", "192.168.60.5", "10.112.7.81"),
    "n": ("3", "6", "12", "40", "180", "420"),
    "p": ("35", "48", "62", "71", "88", "93"),
    "clock": ("02:10", "08:40", "09:25", "13:40", "17:05", "21:50"),
    "gib": ("200", "500", "800", "1,200", "2,048", "4,000"),
}
