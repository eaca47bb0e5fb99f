"""A first desk to look at: a dozen tickets of the demo companies, made by the real actions at instants of today.

Every line is what a customer or an engineer might have done; nothing is written past the actions, so clocks, history
and letters are as real as any. Called by `seed_demo`, never beside real tickets.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle

from helpdesk.accounts.models import Customer, Membership, User
from tickets import actions
from tickets.demo import files
from tickets.demo.life import Life
from tickets.models import Category, Ticket


@dataclass(frozen=True)
class Story:
    """One ticket: filed `ago` minutes before now, then steps of (minutes after filing, verb, text)."""

    ago: int
    chinese: bool
    title: str
    text: str
    impact: str
    urgency: str
    steps: tuple[tuple[int, str, str], ...] = ()
    category: str = Category.TECHNICAL
    service: str = ""
    files: tuple[str, ...] = ()


STORIES = [
    Story(
        27,
        True,
        "生产 EKS 集群节点全部 NotReady，下单接口 5xx",
        "从 13:40 开始，`prod-order` 集群的 6 个节点先后变成 **NotReady**。\n\n"
        "- 下单接口 5xx 超过 90 %\n- 重启 kubelet 没有效果\n\n麻烦马上看一下。",
        "production_down",
        "urgent",
        service="containers",
    ),
    Story(
        6,
        False,
        "IAM Identity Center returns 403, nobody can sign in to the console",
        "Since this morning every sign-in ends with `403 Forbidden` after the SAML assertion. "
        "Our identity provider shows successful logins. No change on our side since Friday.",
        "production_down",
        "urgent",
        service="security",
    ),
    Story(
        41,
        False,
        "RDS for PostgreSQL storage full, writes rejected",
        "`orders-prod` is in state **storage-full**. Autoscaling was set to 500 GiB and we have hit it.\n\n"
        "```\nERROR: could not extend file: No space left on device\n```",
        "production_part",
        "urgent",
        service="database",
        files=("FreeStorageSpace.png",),
    ),
    Story(
        290,
        True,
        "RDS 只读副本延迟持续上升，订单查询超时",
        "早上 8 点 40 分开始，生产库 `orders-prod` 的两个只读副本延迟从 2 秒涨到 900 秒以上，订单查询页面大面积超时。"
        "主库正常。上周五我们升级到了 8.0.39，当时没有异常。\n\n影响新加坡仓的拣货，麻烦尽快看一下。",
        "production_part",
        "urgent",
        (
            (
                19,
                "ask",
                "您好，我已经看到两个副本的 `Seconds_Behind_Master` 同时跳升，主库写入量没有变化，像是复制线程被单个大事务卡住。\n\n"
                "请您确认两件事：\n\n1. 08:30 到 08:45 之间有没有批量任务或表结构变更？\n2. 能否接受先把查询切到主库？",
            ),
            (
                114,
                "customer",
                "没有表结构变更。08:35 有一次库存对账，更新了大约 420 万行。查询已经先切到主库，页面恢复，但主库 CPU 到了 78 %。",
            ),
            (
                126,
                "note",
                "合同里晚高峰是 19:00。18:30 前没有进展就升级，不要等解决时钟。副本参数组里 `replica_parallel_workers` 是 0。",
            ),
        ),
        service="database",
        files=("ReplicaLag.png", "slow-orders-prod-r1.log"),
    ),
    Story(
        200,
        True,
        "十月账单 Data Transfer 费用翻倍，请协助分析",
        "十月账单里 Data Transfer 比九月多了一倍，我们没有上新业务。请帮忙看看是哪个账户、哪个区域。",
        "wrong_charge",
        "workaround",
        category=Category.BILLING,
        service="billing",
    ),
    Story(
        320,
        False,
        "Aurora failover finished, but the connection pool does not recover",
        "After last night's failover the writer endpoint resolves to the new instance, yet our pool keeps "
        "connections to the old one until we restart the pods.",
        "production_part",
        "workaround",
        (
            (
                45,
                "reply",
                "Thank you. The reader was promoted at 02:11 UTC. Please send us the pool settings (`maxLifetime`, DNS TTL).",
            ),
            (70, "customer", "`maxLifetime` is 30 minutes, the JVM's DNS TTL is the default."),
        ),
        service="database",
    ),
    Story(
        500,
        True,
        "Direct Connect 虚拟接口 BGP 反复断开",
        "上海机房的专线每隔十几分钟断一次 BGP，VPN 备份线路正常。",
        "production_part",
        "urgent",
        (
            (31, "reply", "已收到，正在核对两端的 BFD 参数和光衰数据。"),
            (160, "note", "光模块收光 -19 dBm，接近阈值，已请机房换模块。"),
        ),
        service="network",
    ),
    Story(
        700,
        True,
        "申请提高 vCPU 配额：G5 实例 64 → 256",
        "下周有一批训练任务，需要把宁夏区域 G5 的 vCPU 配额提到 256。",
        "question",
        "wait",
        ((60, "ask", "可以申请。请告诉我们预计使用的时间段和实例规格，AWS 会问到。"),),
        Category.ACCOUNT,
        service="compute",
    ),
    Story(
        830,
        False,
        "KMS key policy locked out our CI role",
        "The role `ci-deploy` can no longer use the key after we tightened its policy. We cannot edit the policy either.",
        "non_critical",
        "urgent",
        (
            (
                25,
                "reply",
                "We can restore access through the account's root user. Who on your side can sign in as root today?",
            ),
        ),
        service="security",
    ),
    Story(
        1300,
        False,
        "Question: which Savings Plan fits a mostly Fargate workload?",
        "We run about 300 vCPU of Fargate around the clock and some Lambda. Compute Savings Plan or something else?",
        "billing_question",
        "wait",
        (
            (
                300,
                "resolve",
                "A Compute Savings Plan covers both Fargate and Lambda. For a constant 300 vCPU a one-year plan at 70 % of your hourly spend is a safe start.",
            ),
        ),
        Category.BILLING,
        service="billing",
    ),
    Story(
        1500,
        True,
        "Lambda 冷启动超过 API Gateway 29 秒限制",
        "偶尔有请求 504，日志里冷启动要 31 秒，镜像大小 4.1 GB。",
        "non_critical",
        "workaround",
        (
            (90, "reply", "镜像里有整套 CUDA 库，这条接口用不到。建议拆成两个函数，或先开预置并发 2。"),
            (400, "customer", "开了预置并发之后好了，我们下周拆镜像。"),
            (430, "resolve", "好的，预置并发已生效，近 4 小时没有 504。拆分镜像时如果需要帮助请随时开单。"),
            (455, "close", ""),
        ),
        service="serverless",
    ),
    Story(
        1900,
        False,
        "CloudFront serves old files, the invalidation stays InProgress",
        "Two invalidations have been `InProgress` for an hour; users in Frankfurt still get last week's bundle.",
        "non_critical",
        "urgent",
        (
            (
                35,
                "reply",
                "Both invalidations are stuck behind a wildcard with 1.2 million objects. We are asking AWS to look.",
            ),
            (180, "resolve", "AWS completed both at 11:02 UTC and we see the new bundle from three German networks."),
            (260, "customer", "Berlin still gets the old file, I am afraid."),
            (
                300,
                "resolve",
                "Berlin's edge had kept one object under another cache key. It is gone now; hash checked from there.",
            ),
            (330, "close", ""),
        ),
        service="network",
    ),
]


def lives(at: datetime) -> list[tuple[datetime, Life]]:
    """Each story with the instant it was filed, as it would have happened before `at`."""
    engineers = {zh: cycle(User.objects.filter(staff_role="engineer", language=_code(zh))) for zh in (True, False)}
    customers = {zh: cycle(_customers(zh)) for zh in (True, False)}
    stories = sorted(STORIES, key=lambda s: -s.ago)
    filed = [at - timedelta(minutes=s.ago) for s in stories]
    told = [
        _tell(s, next(customers[s.chinese]), next(engineers[s.chinese]), when)
        for s, when in zip(stories, filed, strict=True)
    ]
    return list(zip(filed, told, strict=True))


def _code(chinese: bool) -> str:
    return "zh-hans" if chinese else "en"


def _customers(chinese: bool) -> list[tuple[Customer, User]]:
    rows = Membership.objects.filter(customer__language=_code(chinese), role="member", user__language=_code(chinese))
    return [(m.customer, m.user) for m in rows.select_related("customer", "user").order_by("customer__name", "pk")]


def _tell(story: Story, who: tuple[Customer, User], engineer: User, filed: datetime) -> Life:
    customer, requester = who
    ticket = actions.open_ticket(
        customer=customer,
        title=story.title,
        description=story.text,
        category=story.category,
        impact=story.impact,
        urgency=story.urgency,
        service=story.service,
        files=[one.pk for one in files.attach(story.files, by=requester, at=filed)],
        by=requester,
        at=filed,
    )
    # Whoever was given it works on it.
    engineer = ticket.assigned_to or engineer
    for minutes, step, text in story.steps:
        now = yield filed + timedelta(minutes=minutes)
        _step(Ticket.objects.get(pk=ticket.pk), step, text, requester, engineer, now)


def _step(ticket: Ticket, step: str, text: str, requester: User, engineer: User, at: datetime) -> None:
    match step:
        case "customer":
            actions.reply(ticket=ticket, body=text, by=requester, at=at)
        case "note":
            actions.note(ticket=ticket, body=text, by=engineer, at=at)
        case "close":
            actions.close(ticket=ticket, version=ticket.version, by=requester, at=at)
        case "reply":
            actions.reply(ticket=ticket, body=text, by=engineer, at=at)
        case _:
            actions.reply(ticket=ticket, body=text, by=engineer, at=at, then=step)
