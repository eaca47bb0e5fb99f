"""A corpus of texts for AWS: a hundred that hold what should not leave unread, and a hundred that only look like it.

What stands in braces is made up when the file is read, so that no secret, real or not, lies in the repository.
"""

import random
import string

# What the desk of the corpus knows: the ticket is Acme's.
NAMES = ("Globex", "GLOBEX", "蓝海科技", "Northwind Traders", "NWT", "星辰物流", "Contoso")
DOMAINS = frozenset({"acme.example", "desk.example", "amazon.com", "amazonaws.com"})
ACCOUNTS = frozenset({"111122223333", "444455556666"})
FOREIGN = frozenset({"999988887777"})


def _of(alphabet: str, length: int, made: random.Random) -> str:
    return "".join(made.choice(alphabet) for _ in range(length))


def _card(begin: str, length: int, made: random.Random, right: bool = True) -> str:
    digits = begin + _of(string.digits, length - len(begin) - 1, made)
    doubled = [int(d) * (2 if n % 2 == 0 else 1) for n, d in enumerate(reversed(digits))]
    check = -sum(d - 9 if d > 9 else d for d in doubled) % 10
    return digits + str(check if right else (check + 3) % 10)


def _id(made: random.Random, right: bool = True) -> str:
    place = made.choice(["110101", "310115", "440305", "330106"])
    born = f"19{made.randint(60, 99)}0{made.randint(1, 9)}1{made.randint(0, 9)}"
    body = f"{place}{born}{made.randint(100, 999)}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    check = sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11
    return body + "10X98765432"[check if right else (check + 4) % 11]


WORDS = string.ascii_letters + string.digits


def filled(text: str, number: int) -> str:
    """The text with its braces filled, the same each time."""
    made = random.Random(number)
    hexes = "0123456789abcdef"
    given = {
        "access": "AKIA" + _of(string.ascii_uppercase + "234567", 16, made),
        "session_key": "ASIA" + _of(string.ascii_uppercase + "234567", 16, made),
        "secret": "a" + _of(WORDS + "/+", 38, made) + "Z",
        "jwt": f"eyJ{_of(WORDS, 20, made)}.eyJ{_of(WORDS, 40, made)}.{_of(WORDS, 43, made)}",
        "github": "ghp" + "_" + _of(WORDS, 36, made),
        "gitlab": "glpat" + "-" + _of(WORDS, 20, made),
        "slack": "xoxb" + "-" + _of(string.digits, 12, made) + "-" + _of(WORDS, 24, made),
        "stripe": "sk" + "_live_" + _of(WORDS, 24, made),
        "aliyun": "LTAI" + _of(WORDS, 20, made),
        "google": "AIza" + _of(WORDS, 35, made),
        "token": _of(WORDS, 32, made),
        "long": _of(WORDS + "/+", 120, made),
        "signature": _of(hexes, 64, made),
        "sha256": _of(hexes, 64, made),
        "sha1": _of(hexes, 40, made),
        "password": _of(string.ascii_letters, 5, made) + "7!" + _of(WORDS, 5, made),
        "visa": _card("4", 16, made),
        "master": _card("53", 16, made),
        "amex": _card("37", 15, made),
        "unionpay": _card("6222", 19, made),
        "bad_visa": _card("4", 16, made, right=False),
        "person": _id(made),
        "no_person": _id(made, right=False),
        "uuid": "-".join(_of(hexes, length, made) for length in (8, 4, 4, 4, 12)),
        "instance": "i-0" + _of(hexes, 16, made),
        "base64": _of(WORDS + "/+", 64, made),
        "pem": "PRIVATE KEY",
        "cert": "CERTIFICATE",
    }
    for name, value in given.items():
        text = text.replace("{" + name + "}", value)
    return text


POSITIVE: list[tuple[str, str]] = [
    # Access keys and their secrets
    ("access_key", "The call fails with key {access} since this morning."),
    ("access_key", "使用 {access} 调用 S3 时返回 403。"),
    ("access_key", "aws_access_key_id = {access}"),
    ("access_key", "Credential={access}/20260302/us-east-1/s3/aws4_request"),
    ("access_key", "临时凭证 {session_key} 已经过期,请看日志。"),
    ("access_key", '{"AccessKeyId":"{session_key}","Type":"AWS-HMAC"}'),
    ("access_key", "export AWS_ACCESS_KEY_ID={access}; aws s3 ls"),
    ("access_key", "user ci-bot ({access}) got AccessDenied"),
    ("secret_key", "aws_secret_access_key = {secret}"),
    ("secret_key", "AWS_SECRET_ACCESS_KEY={secret}"),
    ("secret_key", '"SecretAccessKey": "{secret}"'),
    ("secret_key", "secretKey: '{secret}'"),
    ("secret_key", "{access},{secret}"),
    ("secret_key", "{access}\n{secret}"),
    ("secret_key", "AK/SK:{secret}"),
    ("secret_key", "密钥是 {secret},请帮忙确认权限。"),
    ("secret_key", "secret access key is {secret}"),
    ("secret_key", "Secret Key: {secret}"),
    # Private keys
    ("private_key", "-----BEGIN RSA {pem}-----\nMIIEow\n-----END RSA {pem}-----"),
    ("private_key", "-----BEGIN {pem}-----\nMIIEvQ"),
    ("private_key", "-----BEGIN EC {pem}-----"),
    ("private_key", "登录用的密钥文件内容:\n-----BEGIN OPENSSH {pem}-----\nb3Blbn"),
    ("private_key", "-----BEGIN ENCRYPTED {pem}-----"),
    ("private_key", "-----BEGIN PGP {pem} BLOCK-----"),
    ("private_key", "Our key pair: -----BEGIN DSA {pem}-----"),
    # Passwords
    ("password", "postgres://app:{password}@db.internal:5432/orders"),
    ("password", "mysql://root:{password}@10.0.3.7/shop"),
    ("password", "redis://default:{password}@cache.acme.example:6379"),
    ("password", "mongodb+srv://admin:{password}@cluster0.mongodb.example/test"),
    ("password", "amqps://svc:{password}@b-1.mq.us-east-1.amazonaws.com:5671"),
    ("password", "https://deploy:{password}@git.acme.example/app.git"),
    ("password", "password={password}"),
    ("password", "Password: {password}"),
    ("password", "db_pass = '{password}'"),
    ("password", "PGPASSWORD={password} psql -h db"),
    ("password", "The password is {password} if you want to look."),
    ("password", "密码:{password}"),
    ("password", "RDS 主用户密码是 {password} ,用户名 admin"),
    ("password", "用户名 admin,口令:{password}"),
    ("password", '"password": "{password}"'),
    ("password", "pwd={password};database=orders"),
    ("password", "passphrase: {password}"),
    ("password", "spring.datasource.password={password}"),
    # Tokens
    ("token", "Authorization: Bearer {jwt}"),
    ("token", "id_token={jwt}"),
    ("token", "Authorization: Bearer {token}"),
    ("token", "token in the header: {jwt} is refused"),
    ("token", "GITHUB_TOKEN={github}"),
    ("token", "CodeBuild clones with {gitlab}"),
    ("token", "Slack webhook bot {slack} stopped"),
    ("token", "payments fail, key {stripe}"),
    ("token", "我们的阿里云密钥 {aliyun} 也在使用"),
    ("token", "maps key {google} hits the quota"),
    ("token", "aws_session_token={long}"),
    ("token", "X-Amz-Security-Token={long}"),
    ("token", "https://b.s3.amazonaws.com/f?X-Amz-Expires=3600&X-Amz-Signature={signature}"),
    ("token", "api_key={token}"),
    ("token", "client_secret: {token}"),
    ("token", '"access_token": "{token}"'),
    ("token", "auth-token={token}"),
    ("token", "令牌:{token}"),
    # Cards
    ("card", "The card {visa} was charged twice."),
    ("card", "付款卡号 {unionpay} 被拒绝"),
    ("card", "card number: {amex}"),
    ("card", "Please change the billing card to {master}."),
    ("card", "pan={visa}&exp=0928"),
    ("card", "银行卡 {visa} 扣款失败"),
    # People
    ("mainland_id", "联系人身份证 {person}"),
    ("mainland_id", "实名认证的号码是{person}。"),
    ("mainland_id", "ID number {person} for the ICP filing"),
    ("mainland_id", "备案主体负责人:{person}"),
    ("mainland_id", "id_card={person}"),
    ("mainland_id", "身份证号 {person} 姓名不符"),
    # Other customers
    ("other_customer", "The same happened at Globex last week."),
    ("other_customer", "蓝海科技 也遇到了同样的问题。"),
    ("other_customer", "Same as northwind traders, see their case."),
    ("other_customer", "请参考星辰物流的案例。"),
    ("other_customer", "s3://globex-backups is affected as well"),
    ("other_customer", "Customer NWT has this too."),
    ("other_customer", "我们的另一个客户Contoso也受影响"),
    ("other_customer", "GLOBEX: same symptom"),
    ("other_customer", "(globex) also saw throttling"),
    # Addresses
    ("other_mail", "Please write to gus@globex.test instead."),
    ("other_mail", "抄送 wang.wei@lanhai.test 谢谢"),
    ("other_mail", "their admin (ops+aws@northwind.test) confirmed"),
    ("other_mail", "From: someone@gmail.com"),
    ("other_mail", "private address li_lei@163.com"),
    # Accounts
    ("other_account", "Account 999988887777 shows the same error."),
    ("other_account", "arn:aws:iam::777766665555:role/app is not allowed"),
    ("other_account", "账户 222233334444 中的 VPC 无法访问"),
    ("other_account", "account id: 1234-5678-9012"),
    ("other_account", "arn:aws:sqs:us-east-1:999988887777:orders"),
    ("other_account", "peering with account 888877776666 fails"),
    ("other_account", "账号:333344445555"),
    ("other_account", "999988887777 is affected too"),
    # Another partition
    ("other_partition", "arn:aws-cn:s3:::acme-logs cannot be replicated"),
    ("other_partition", "The role arn:aws-cn:iam::111122223333:role/app in Beijing"),
    ("other_partition", "arn:aws-us-gov:ec2:us-gov-west-1:111122223333:instance/{instance}"),
    ("other_partition", "宁夏区域的 arn:aws-cn:lambda:cn-northwest-1:111122223333:function:sync"),
    ("other_partition", "copying from arn:aws-us-gov:s3:::reports"),
]

NEGATIVE: list[str] = [
    # Talk about secrets
    "The user cannot reset the password.",
    "Password: ********",
    "password=<your-password>",
    "password: ${DB_PASSWORD}",
    "The password is incorrect, says the console.",
    "密码错误,请重试。",
    "密码:已通过电话告知",
    "忘记密码后无法登录控制台。",
    "Please rotate the access key and the secret key.",
    "我们已经轮换了访问密钥。",
    "aws_secret_access_key = <removed>",
    "aws_access_key_id = AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY is the key of the documentation",
    "Use Secrets Manager for the database password rotation.",
    "password policy requires 14 characters",
    "The token expired after an hour.",
    "ExpiredToken: The security token included in the request is expired",
    "InvalidClientTokenId: The security token included in the request is invalid.",
    "Authorization: Bearer <token>",
    "Bearer authentication is switched on.",
    "access_token: null",
    "api_key=${API_KEY}",
    "令牌:已过期",
    "the api key quota is 10,000 a day",
    "KMS key arn:aws:kms:us-east-1:111122223333:key/{uuid}",
    "key alias/aws/ebs is used",
    "-----BEGIN {cert}-----\nMIID",
    "-----BEGIN PUBLIC KEY-----",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB public part only",
    "The private key never leaves the HSM.",
    # Numbers that are none
    "The volume has 4000000000000 bytes.",
    "order number {bad_visa} of our shop",
    "timestamp 1772409600000 in the log",
    "1772409600123456789 ns",
    "case 170000000000000 at AWS",
    "The request took 1234567890123 cycles.",
    "phone +86 138 0013 8000",
    "hotline 400-820-8820",
    "身份证校验接口超时",
    "编号 {no_person} 不是身份证",
    "Build 20260302101500123",
    "版本 2026.03.02.101500",
    "10.0.12.7 and 172.16.254.3 cannot reach each other",
    "latency p99 4111.1111 ms",
    "Serial 5500000000000000000001",
    # Identifiers of AWS
    "instance {instance} stopped responding",
    "request id {uuid}",
    "x-amz-request-id: 4442587FB7D0A2F9",
    "x-amz-id-2: {base64}",
    "sha256 {sha256}",
    "commit {sha1}",
    "etag {sha1}",
    "image digest sha256:{sha256}",
    "ami-0abcdef1234567890 in ap-northeast-1",
    "vpc-0a1b2c3d4e5f67890 peered with vpc-0f9e8d7c6b5a43210",
    "arn:aws:s3:::acme-logs",
    "arn:aws:lambda:us-east-1:111122223333:function:orders",
    "arn:aws:iam::444455556666:role/app",
    "Account 111122223333 is affected.",
    "账户 444455556666 无法访问",
    "account id 1111-2222-3333",
    "case-111122223333-muen-2026-{sha1}",
    "d-1234567890 directory",
    "sg-012345678901 allows 443",
    "snapshot 123456789012 rows restored",
    "processed 987654321098 events since January",
    "https://111122223333.signin.aws.amazon.com/console",
    "log group /aws/lambda/orders, stream 2026/03/02/[$LATEST]{sha1}",
    # Names
    "Globexis is a word of our own.",
    "The contosos library is installed.",
    "NWTS is a protocol.",
    "蓝海是一种战略。",
    "星辰大海是我们的征途。",
    "Acme sees the error in production.",
    "northwind without traders is a wind",
    # Addresses
    "cora@acme.example has the error",
    "support@desk.example will answer",
    "no-reply@amazon.com sent a notice",
    "bounce@email.amazonaws.com",
    "git@github:acme/app",
    "user@10.0.0.1 over ssh",
    "@ops please look",
    # URLs
    "https://console.aws.amazon.com/ec2/home?region=us-east-1#Instances:",
    "http://localhost:8080/health",
    "postgres://db.internal:5432/orders",
    "s3://acme-logs/2026/03/02/",
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
    "https://acme.example:8443/path@v2",
    "jdbc:mysql://db.internal:3306/shop?useSSL=true",
    "postgres://app:****@db.internal/orders",
    "redis://cache.acme.example:6379/0",
    # Plain talk, both languages
    "Since 10:15 UTC all targets are unhealthy; the ALB answers 503.",
    "今天上午 10 点开始,所有目标都不健康。",
    "We raised the limit to 100 and see no change.",
    "请把严重级别提高到 urgent,生产环境已中断。",
    "EBS volume vol-0123456789abcdef0 is stuck in attaching",
    "RDS 主备切换后应用无法连接,错误码 08006。",
    "Please tell us the root cause and the time of the fix.",
    "谢谢,问题已经解决,可以关闭案例。",
    "The AK is rotated each month, the SK with it.",
]
