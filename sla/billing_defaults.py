"""What ships for tickets about bills: their own answers about the impact, what these propose, and what each priority
means there.

Called by a migration, and by the tests after they emptied the tables: so it takes `apps` and names no model itself.
"""

from typing import Any

from django.db import connection

BILLING = "billing"
# code, zh, en, explanation in both
IMPACTS = [
    (
        "account_suspended",
        "账号已被暂停，或即将被暂停",
        "Account suspended, or about to be",
        "欠费或付款失败，业务因此停止或将要停止",
        "Payment is overdue or failed, and business stops for it or soon will",
    ),
    (
        "wrong_charge",
        "扣费错误",
        "Wrong charge",
        "账单金额、折扣或抵扣与约定不符",
        "An amount, a discount or a credit is not what was agreed",
    ),
    (
        "invoice_missing",
        "发票缺失或有误",
        "Invoice or fapiao missing or wrong",
        "没有收到发票，或抬头、税号、金额需要更正",
        "It has not come, or its title, tax number or amount must be corrected",
    ),
    (
        "billing_question",
        "账务咨询",
        "Question about a bill",
        "想了解账单、付款方式、预留或节省计划",
        "You want to know about a bill, ways to pay, reservations or savings plans",
    ),
]
# Rows follow IMPACTS, columns the urgencies by rank: cannot wait, can be bypassed, can wait.
MATRIX = [
    ("critical", "high", "high"),
    ("high", "medium", "medium"),
    ("medium", "medium", "low"),
    ("low", "low", "low"),
]
# priority, zh, en
DEFINITIONS = [
    (
        "critical",
        "账号已被暂停或即将被暂停，业务受严重影响",
        "The account is suspended or about to be, and business is severely affected",
    ),
    (
        "high",
        "账号有被暂停的风险，或扣费错误且付款期限临近",
        "The account may be suspended, or a charge is wrong and its payment falls due",
    ),
    (
        "medium",
        "扣费有误但不影响业务，或发票缺失、有误",
        "A charge is wrong without affecting business, or an invoice or fapiao is missing or wrong",
    ),
    ("low", "一般性账务咨询", "A general question about bills or payment"),
]
PARTS = [("sla_matrixcell", "sla_matrixcell_fixed"), ("sla_definition", "sla_definition_fixed")]


def seed(apps: Any) -> None:
    """Writes the answers, and adds to every version what it says of them; does nothing where they stand already.

    A published version stays as it is, and a trigger sees to it. It is set aside here alone: these rows come with the
    answers themselves, which no ticket has given and no promise has named before.
    """

    def model(name: str) -> Any:
        return apps.get_model("sla", name)

    if model("Impact").objects.filter(category=BILLING).exists():
        return
    priorities = {row.code: row for row in model("Priority").objects.all()}
    if not {code for code, *_words in DEFINITIONS} <= set(priorities):
        # The partner has levels of their own: what billing means in them is for the partner to say.
        return
    first = max(model("Impact").objects.values_list("rank", flat=True), default=0) + 1
    impacts = [
        model("Impact").objects.create(
            category=BILLING, code=code, rank=rank, label_zh=zh, label_en=en, hint_zh=hint_zh, hint_en=hint_en
        )
        for rank, (code, zh, en, hint_zh, hint_en) in enumerate(IMPACTS, first)
    ]
    urgencies = list(model("Urgency").objects.order_by("rank"))
    _guarded("DISABLE")
    for policy in model("PolicyVersion").objects.all():
        model("MatrixCell").objects.bulk_create(
            model("MatrixCell")(policy=policy, impact=impact, urgency=urgency, priority=priorities[code])
            for impact, row in zip(impacts, MATRIX, strict=True)
            for urgency, code in zip(urgencies, row, strict=False)
        )
        model("Definition").objects.bulk_create(
            model("Definition")(
                policy=policy, category=BILLING, priority=priorities[code], description_zh=zh, description_en=en
            )
            for code, zh, en in DEFINITIONS
        )
    _guarded("ENABLE")


def _guarded(how: str) -> None:
    with connection.cursor() as cursor:
        # Rows that wait to be checked forbid any change of their table.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, trigger in PARTS:
            cursor.execute(f"ALTER TABLE {table} {how} TRIGGER {trigger}")
