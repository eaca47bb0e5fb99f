"""A day at AWS: a dozen cases in two partitions, and engineers who answer after a while, in the case's language.

Whatever the customer's side says is answered within a minute or two; then AWS asks for something, and after another
answer it resolves. What it works on it writes of again after a quarter of an hour. Now and then a customer opens a case
in the console of AWS. Which words come follows from the case's number, so a demo told twice is the same.
"""

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from awsint.sim import support
from awsint.sim.scenarios import health, quiet
from awsint.sim.world import AWS, Account, Case, World


@dataclass(frozen=True)
class Told:
    """A case as it begins: minutes ago, status, and what was said since, by whom, at which minute."""

    account: str
    ago: int
    subject: str
    body: str
    service: str
    category: str
    severity: str
    language: str
    status: str
    by: str
    said: tuple[tuple[int, str, str], ...] = ()
    file: str = ""


CUSTOMER = "customer"
CASES = [
    Told(
        "210000000011",
        95,
        "ALB returns 503 for all targets in us-east-1",
        "Since 10:15 UTC every target of app/prod-edge is unhealthy. Nothing was deployed. Health checks time out.",
        "elastic-load-balancing-application",
        "unhealthy-targets",
        "urgent",
        "en",
        "work-in-progress",
        "Cora Chen (Role) <cora@acme.example>",
        (
            (
                82,
                AWS,
                "Hello,\n\nI see the targets failing their health checks from two Availability Zones. I have engaged the load balancing team and will write again within 30 minutes.\n\nBest regards,\nMarta\nAmazon Web Services",
            ),
            (
                51,
                AWS,
                "Hello,\n\nThe security group sg-0f3a91c2 no longer allows port 8443 from the load balancer. Could you tell us whether it was changed on purpose?\n\nBest regards,\nMarta\nAmazon Web Services",
            ),
        ),
        "alb-access.log",
    ),
    Told(
        "210000000012",
        60 * 9,
        "Lambda: throttling after the limit was raised",
        "The concurrency limit shows 3,000 and we are throttled at 1,000.",
        "aws-lambda",
        "performance",
        "normal",
        "en",
        "pending-customer-action",
        "Carla Reyes (Role) <carla@acme.example>",
        (
            (
                60 * 7,
                AWS,
                "Hello,\n\nReserved concurrency of the function orders-sync is 1,000. Please raise it and tell us whether that helps.\n\nBest regards,\nIvan\nAmazon Web Services",
            ),
        ),
    ),
    Told(
        "210000000021",
        60 * 20,
        "S3 replication lags behind by hours",
        "Replication from us-east-1 to eu-west-1 is three hours behind since yesterday.",
        "amazon-simple-storage-service",
        "other",
        "high",
        "en",
        "work-in-progress",
        "Gus Miller (Role) <gus@globex.example>",
        (
            (
                60 * 18,
                AWS,
                "Hello,\n\nWe see a backlog caused by very small objects and are adding capacity. An update follows tomorrow morning.\n\nBest regards,\nPriscilla\nAmazon Web Services",
            ),
        ),
    ),
    Told(
        "210000000041",
        60 * 30,
        "DynamoDB: hot partition on table carts",
        "Writes to carts are throttled although the table is on demand.",
        "amazon-dynamodb",
        "throttling",
        "high",
        "en",
        "resolved",
        "Grace Holt (Role) <grace@meridian.example>",
        (
            (
                60 * 27,
                AWS,
                "Hello,\n\nOne partition key receives 80% of the writes. Splitting the key by session will help.\n\nBest regards,\nOmar\nAmazon Web Services",
            ),
            (60 * 26, CUSTOMER, "Understood, we change the key. Thank you."),
        ),
    ),
    Told(
        "210000000061",
        60 * 5,
        "海外站点 EC2 实例无法通过 SSH 登录",
        "实例 i-0a1b2c3d4e5f67890 自凌晨起无法登录，系统状态检查通过，实例状态检查失败。",
        "amazon-elastic-compute-cloud-linux",
        "instance-issue",
        "normal",
        "zh",
        "unassigned",
        "王磊 (Role) <wang.lei@yuanfan.example>",
    ),
    Told(
        "310000000011",
        60 * 3,
        "北京区域 RDS 主备切换后连接超时",
        "生产数据库 prod-orders 于 03:12 发生主备切换，之后应用持续报连接超时。",
        "amazon-relational-database-service-mysql",
        "connectivity",
        "urgent",
        "zh",
        "work-in-progress",
        "王磊 (Role) <wang.lei@yuanfan.example>",
        (
            (
                60 * 2 + 48,
                AWS,
                "您好，\n\n我们已收到您的案例，正在查看实例 prod-orders 的切换记录，将在 30 分钟内向您更新进展。\n\n此致\n刘洋\nAmazon Web Services",
            ),
            (
                60 * 2,
                AWS,
                "您好，\n\n切换由底层主机的硬件故障触发，已于 03:14 完成。应用连接池缓存了旧地址，请将 JVM 的 DNS 缓存时间设为 5 秒并重启应用，然后告诉我们结果。\n\n此致\n刘洋\nAmazon Web Services",
            ),
        ),
        "切换日志.txt",
    ),
    Told(
        "310000000021",
        60 * 26,
        "充电平台 EKS 节点 NotReady",
        "cn-northwest-1 的三个节点变为 NotReady,Pod 被驱逐。",
        "service-eks",
        "cluster",
        "high",
        "zh",
        "customer-action-completed",
        "陈浩 (Role) <chen.hao@haituo.example>",
        (
            (
                60 * 24,
                AWS,
                "您好，\n\nkubelet 因磁盘压力停止上报，请清理镜像并扩大根卷到 100 GiB。\n\n此致\n孙倩\nAmazon Web Services",
            ),
            (60 * 22, CUSTOMER, "已扩容到 100 GiB，节点恢复。请确认是否还有其他风险。"),
        ),
    ),
    Told(
        "310000000031",
        60 * 50,
        "影像归档 S3 上传速度下降",
        "从上周起，上传到 qinghe-archive 的速度从 200 MB/s 下降到 40 MB/s。",
        "amazon-simple-storage-service",
        "other",
        "normal",
        "zh",
        "resolved",
        "林静 (Role) <lin.jing@qinghe.example>",
        (
            (
                60 * 47,
                AWS,
                "您好，\n\n客户端使用单一连接。请启用分段上传并提高并发数。\n\n此致\n高翔\nAmazon Web Services",
            ),
        ),
    ),
    Told(
        "310000000041",
        40,
        "直播推流 Direct Connect 抖动",
        "今晚 20:00 起专线丢包 3%，直播卡顿。",
        "amazon-virtual-private-cloud",
        "vpn",
        "high",
        "zh",
        "unassigned",
        "孙悦 (Role) <sun.yue@xinghe.example>",
    ),
]
# What customers open later, one after the other: only while nobody waits for AWS.
MORE = [
    Told(
        "210000000041",
        0,
        "Checkout is down: RDS prod-shop does not accept connections",
        "Since a few minutes every connection to prod-shop times out. CPU and storage look normal. The shop is down.",
        "amazon-relational-database-service-mysql",
        "connectivity",
        "critical",
        "en",
        "unassigned",
        "Grace Holt (Role) <grace@meridian.example>",
    ),
    Told(
        "310000000021",
        0,
        "充电桩上报数据延迟，Lambda 并发被限制",
        "从 10 分钟前开始，充电桩上报延迟超过 5 分钟。Lambda 指标显示 Throttles 持续上升，并发配额是否可以临时提高？",
        "aws-lambda",
        "performance",
        "high",
        "zh",
        "unassigned",
        "陈浩 (Role) <chen.hao@haituo.example>",
    ),
    Told(
        "210000000011",
        0,
        "VPN tunnel to the Singapore plant flaps",
        "Tunnel 2 of vpn-0c4de1 goes down for about a minute every ten minutes. BGP drops first.",
        "amazon-virtual-private-cloud",
        "vpn",
        "normal",
        "en",
        "unassigned",
        "Carla Reyes (Role) <carla@acme.example>",
    ),
    Told(
        "310000000031",
        0,
        "影像归档存储桶访问被拒绝",
        "更新存储桶策略后，影像工作站读取 qinghe-archive 返回 403 AccessDenied。请协助检查策略是否正确。",
        "amazon-simple-storage-service",
        "permissions",
        "urgent",
        "zh",
        "unassigned",
        "林静 (Role) <lin.jing@qinghe.example>",
    ),
    Told(
        "210000000061",
        0,
        "海外站点账单中出现未知的数据传输费用",
        "本月账单新增约 1,200 美元的区域间数据传输费用，请帮助确认来源。",
        "account-management",
        "billing",
        "low",
        "zh",
        "unassigned",
        "王磊 (Role) <wang.lei@yuanfan.example>",
    ),
]
FIRST = {
    "zh": [
        "您好，\n\n感谢您联系 AWS 技术支持。我已接手这个案例，正在查看您账户中的相关资源，有进展会立即告知您。\n\n此致\n{name}\nAmazon Web Services",
        "您好，\n\n我们正在调查您描述的问题。请问最近是否有配置变更？如果方便，请提供开始时间和一条出错的请求 ID。\n\n此致\n{name}\nAmazon Web Services",
    ],
    "en": [
        "Hello,\n\nThank you for contacting AWS Support. I have taken this case and am looking at the resources in your account. I will write as soon as I know more.\n\nBest regards,\n{name}\nAmazon Web Services",
        "Hello,\n\nWe are looking into what you describe. Was anything changed before it began? If you can, please send us the start time and the id of one failed request.\n\nBest regards,\n{name}\nAmazon Web Services",
    ],
}
LATER = {
    "zh": [
        "您好，\n\n根据您提供的信息，我们已定位原因并在服务侧完成调整。请您验证业务是否恢复，并告诉我们结果。\n\n此致\n{name}\nAmazon Web Services",
        "您好，\n\n相关团队已确认问题并正在修复，预计一小时内完成。期间如有影响扩大，请立即告诉我们。\n\n此致\n{name}\nAmazon Web Services",
    ],
    "en": [
        "Hello,\n\nWith what you sent we found the cause and made a change on our side. Please check whether your workload has recovered and tell us.\n\nBest regards,\n{name}\nAmazon Web Services",
        "Hello,\n\nThe service team has confirmed the problem and is fixing it; we expect this to take up to an hour. Please write at once if the impact grows.\n\nBest regards,\n{name}\nAmazon Web Services",
    ],
}
AGAIN = {
    "zh": "您好，\n\n我们仍在处理这个案例。服务团队已复现问题，下一次更新将在一小时内提供。\n\n此致\n{name}\nAmazon Web Services",
    "en": "Hello,\n\nWe are still working on this. The service team has reproduced the problem; the next update follows within the hour.\n\nBest regards,\n{name}\nAmazon Web Services",
}
LAST = {
    "zh": "您好，\n\n很高兴问题已经解决。我将把案例标记为已解决，如需继续，请直接回复。\n\n此致\n{name}\nAmazon Web Services",
    "en": "Hello,\n\nI am glad this is solved. I mark the case as resolved; to go on, just reply.\n\nBest regards,\n{name}\nAmazon Web Services",
}
PEOPLE = {"zh": ["刘洋", "孙倩", "高翔", "唐敏"], "en": ["Marta", "Ivan", "Omar", "Priscilla"]}
SOONEST_S, SPREAD_S = 25, 70
# After so many answers of the customer's side AWS resolves.
ENOUGH = 3
# How long AWS works in silence, and how often it writes before it waits.
SILENT, OFTEN = timedelta(minutes=15), 4
# How long after the newest case the next one comes, and after the last word of anybody.
NEXT_CASE, QUIET = timedelta(minutes=7), timedelta(minutes=2)


def begin(world: World) -> None:
    """The accounts, and the cases as they stand."""
    quiet.begin(world)
    now = world.now()
    for told in CASES:
        _open(world, world.accounts[told.account], told, now)
    health.begin(world)


def _open(world: World, account: Account, told: Told, now: datetime) -> None:
    given = {
        "subject": told.subject,
        "communicationBody": told.body,
        "serviceCode": told.service,
        "categoryCode": told.category,
        "severityCode": told.severity,
        "language": told.language,
        "submittedBy": told.by,
        "at": now - timedelta(minutes=told.ago),
    }
    case = support.new_case(world, account, given)
    for minute, by, body in told.said:
        files = []
        if told.file and by == AWS:
            files = [support.keep_file(world, account, told.file, f"{told.subject}\n{body}\n".encode() * 20)]
        who = AWS if by == AWS else told.by
        support.say(world, account, case, body, by=who, at=now - timedelta(minutes=minute), files=files)
    support.set_status(world, account, case, told.status)


def resume(world: World) -> None:
    """A world that was kept goes on; what came new with the scenario is added."""
    quiet.resume(world)
    health.begin(world)


def live(world: World) -> None:
    """AWS answers whatever has waited for its time, writes again, and now and then a case comes in."""
    health.live(world)
    now = world.now()
    with world.lock:
        cases = [case for cases in world.cases.values() for case in cases.values()]
    waiting = [case for case in cases if case.status != "resolved" and case.newest_first[0].by != AWS]
    for case in waiting:
        if now - case.newest_first[0].at >= _patience(case):
            _answer(world, case)
    for case in cases:
        if case.status == "work-in-progress" and case not in waiting and now - case.newest_first[0].at >= SILENT:
            _write_again(world, case)
    if not waiting:
        _come_in(world, cases, now)


def _come_in(world: World, cases: list[Case], now: datetime) -> None:
    known = {case.subject for case in cases}
    told = next((one for one in MORE if one.subject not in known), None)
    newest = max((case.at for case in cases), default=now)
    said = max((case.newest_first[0].at for case in cases), default=now)
    if told and now - newest >= NEXT_CASE and now - said >= QUIET:
        _open(world, world.accounts[told.account], told, now)


def _write_again(world: World, case: Case) -> None:
    if sum(word.by == AWS for word in case.words) < OFTEN:
        support.say(world, world.accounts[case.account], case, AGAIN[_language(case)].format(name=_name(case)))


def _patience(case: Case) -> timedelta:
    return timedelta(seconds=SOONEST_S + _chance(case) % SPREAD_S)


def _chance(case: Case) -> int:
    """A number that belongs to the case as it stands now."""
    return zlib.crc32(f"{case.number}{len(case.words)}".encode())


def _answer(world: World, case: Case) -> None:
    account, language, name = world.accounts[case.account], _language(case), _name(case)
    answered = sum(word.by == AWS for word in case.words)
    asked = sum(word.by != AWS for word in case.words)
    if asked > ENOUGH:
        support.say(world, account, case, LAST[language].format(name=name))
        support.set_status(world, account, case, "resolved")
        return
    words = (LATER if answered else FIRST)[language]
    support.say(world, account, case, words[_chance(case) % len(words)].format(name=name))
    asks = answered and _chance(case) % 2 == 0
    support.set_status(world, account, case, "pending-customer-action" if asks else "work-in-progress")


def _language(case: Case) -> str:
    return "zh" if case.language == "zh" else "en"


def _name(case: Case) -> str:
    """Who of AWS works on it: the same person from the first word to the last."""
    people = PEOPLE[_language(case)]
    return people[zlib.crc32(case.number.encode()) % len(people)]
