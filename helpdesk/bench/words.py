"""What the many tickets say: half of them in Chinese. Put together from parts, so that no two lists look alike."""

from dataclasses import dataclass

from helpdesk import richtext

THINGS = [
    *("EC2 实例", "RDS 主库", "Aurora 集群", "S3 存储桶", "CloudFront 分发", "EKS 节点组", "Lambda 函数", "专线 BGP"),
    *("EC2 instance", "RDS primary", "Aurora cluster", "S3 bucket", "CloudFront", "EKS node group", "Lambda", "VPN"),
]
TROUBLES_ZH = [
    *("无法启动，状态检查失败", "延迟持续升高，业务超时", "费用比上月翻倍，请协助分析", "申请提高配额", "证书即将过期"),
    *(
        "备份任务连续两天失败",
        "升级之后连接数打满",
        "跨区域复制停住了",
        "偶发 503，请协助排查",
        "权限策略改了之后拒绝访问",
    ),
    *("日志里反复出现超时", "扩容没有生效"),
]
TROUBLES_EN = [
    *("does not start, status check fails", "latency climbs and requests time out", "costs twice last month's bill"),
    *("needs a higher quota by Friday", "certificate expires this week", "backup failed two nights in a row"),
    *("runs out of connections after the upgrade", "replication has stopped", "answers 503 now and then"),
    *("denies access since we changed the policy", "logs time-outs all the time", "does not scale out"),
]
TEXTS = {
    True: {
        "opening": "从今天早上开始，`{id}` 出现上述问题，影响订单查询和拣货。\n\n已经试过重启，五分钟后又出现。"
        "监控里可以看到：\n\n- 连接数从 300 涨到 2,000\n- 应用日志大量 `ETIMEDOUT`\n\n麻烦尽快看一下，谢谢。",
        "engineer": "您好，我们已经看到 `{id}` 的指标异常，正在核对变更记录。\n\n请您确认：问题开始前后有没有发布或批量任务？",
        "customer": "没有发布。昨晚有一次库存对账，大约更新了 **420 万行**，时间对得上。",
        "last": "我们把参数调整到了推荐值，`{id}` 的延迟在 10 分钟内恢复正常，近 4 小时没有再出现。请您确认。",
    },
    False: {
        "opening": "Since this morning `{id}` shows this problem; order lookup and picking suffer from it.\n\nWe restarted "
        "it, five minutes later it was back. What we see:\n\n- connections rise from 300 to 2,000\n- the log is full of "
        "`ETIMEDOUT`\n\nPlease have a look soon.",
        "engineer": "Thank you. We see the metrics of `{id}` and compare them with the change log.\n\nWas there a release or "
        "a batch job shortly before it began?",
        "customer": "No release. There was a stock reconciliation last night, about **4.2 million rows**; the time fits.",
        "last": "We set the parameters to the recommended values; the latency of `{id}` was back to normal within ten "
        "minutes and has stayed there for four hours. Please confirm.",
    },
}
FAMILY = [
    *"王李张刘陈杨黄赵周吴",
    "Keller",
    "Okafor",
    "Novak",
    "Silva",
    "Tanaka",
    "Byrne",
    "Costa",
    "Weber",
    "Singh",
    "Hall",
]
GIVEN = ["敏", "磊", "静", "欣怡", "子墨", "雨桐", "Ana", "Jonas", "Priya", "Marta", "Liam", "Grace"]
COMPANIES = ["远帆", "海拓", "青禾", "云栖", "北辰", "Nordlicht", "Globex", "Initech", "Umbra", "Vandelay"]
TRADES = ["物流", "能源", "医疗", "教育", "Robotics", "Foods", "Energy", "Media"]


@dataclass(frozen=True)
class Text:
    """What one person says: Markdown and HTML, with `{id}` for what it is about."""

    body: str
    html: str


def title(number: int) -> str:
    """A title like those people write: Chinese for even numbers."""
    chinese = number % 2 == 0
    half = len(THINGS) // 2
    thing = THINGS[(number // 2) % half + (0 if chinese else half)]
    troubles = TROUBLES_ZH if chinese else TROUBLES_EN
    trouble = troubles[(number // 16) % len(troubles)]
    return f"{thing} {trouble} ({number % 997})"


def texts() -> dict[bool, dict[str, Text]]:
    """Everything said, by language and part, rendered once."""
    return {
        chinese: {part: Text(body, richtext.render(body)) for part, body in parts.items()}
        for chinese, parts in TEXTS.items()
    }


def person(number: int) -> str:
    """A name in its own script's order."""
    family, given = FAMILY[number % len(FAMILY)], GIVEN[number // 3 % len(GIVEN)]
    return f"{family}{given}" if not (family + given).isascii() else f"{given} {family}"


def company(number: int) -> str:
    """A company's name; the number keeps them apart."""
    return f"{COMPANIES[number % len(COMPANIES)]}{TRADES[number // 10 % len(TRADES)]} {number:03}"
