"""The part that knows the SDK: who we are in an account, what goes wrong with it, what a call leaves behind."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from awsint import calls, client
from awsint.client import sessions
from awsint.client.buckets import POLL_RATE, RATE, Bucket, Turn
from awsint.client.calling import Caller
from awsint.client.files import checked, fetched
from awsint.models import Account, CallHour, CallLog, Hub
from awsint.shapes import (
    Away,
    AwsError,
    Calls,
    ClockSkew,
    Denied,
    FileRef,
    HubBroken,
    Invalid,
    LimitReached,
    NoPlan,
    Place,
    Throttled,
)
from awsint.sim.world import HUB, Key
from tests.awsint.conftest import ACME, EXTERNAL, hub_of
from tests.awsint.simulator import Sim

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
GLOBEX = "444455556666"
CHOSEN = {"service": "aws-lambda", "category": "other", "severity": "normal", "language": "en"}


def support(account: Account, made: Calls | None = None) -> client.SupportApi:
    return client.support(account.place, made or Calls(), at=AT, turn=Turn.PERSON)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting between attempts is the SDK's own, and is not what is tested."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_a: 0.0)


# --- Reading ---------------------------------------------------------------------------------------------------------


def test_cases_come_with_their_words_and_the_rest_is_read_on(acme: Account, sim: Sim) -> None:
    case = sim.open(ACME, "ALB 不健康", "全部目标不健康。", severityCode="urgent", language="zh")
    for n in range(7):
        sim.answer(case, f"word {n}", at=sim.world.now() + timedelta(seconds=n + 1))
    sim.status(sim.open(ACME, "old", "done"), "resolved")
    api = support(acme)
    (read,) = api.open_cases()
    assert (read.subject, read.severity, read.language, read.status) == ("ALB 不健康", "urgent", "zh", "unassigned")
    assert [one.body for one in read.said] == [f"word {n}" for n in (6, 5, 4, 3, 2)]
    assert [one.body for one in api.more_said(read.case_id, read.more)] == ["word 1", "word 0", "全部目标不健康。"]
    assert read.said[0].by_aws
    assert len(list(api.all_cases())) == 2


def test_one_unknown_case_does_not_hide_the_others(acme: Account, sim: Sim) -> None:
    numbers = [sim.open(ACME, f"case {n}", "body").number for n in range(9)]
    asked = [*numbers[:4], "case-gone", *numbers[4:]]
    assert {one.case_id for one in support(acme).cases(asked)} == set(numbers)
    assert support(acme).cases(["case-gone"]) == []


def test_files_of_any_size_are_fetched_and_no_link_leads_elsewhere(acme: Account, sim: Sim) -> None:
    data = b"x" * (6 * 1024 * 1024)
    number = sim.file(ACME, "日志.txt", data)
    assert b"".join(support(acme).attachment(FileRef(number, "日志.txt"))) == data
    for url in (
        "https://evil.example/f",
        "http://169.254.169.254/",
        "file:///etc/passwd",
        "https://amazonaws.com.evil",
        "file://localhost/etc/passwd",
        "https://downloadv1.attachments.support.us-east-1.amazonaws.com@evil.example/",
        "https://downloadv1.attachments.support.us-east-1.amazonaws.com.evil.example/",
        "http://downloadv1.attachments.support.us-east-1.amazonaws.com/f",
    ):
        with pytest.raises(Invalid):
            checked(url)
    assert checked("https://downloadv1.attachments.support.us-east-1.amazonaws.com/f?X=1")


def test_a_download_that_is_cut_off_is_no_file(acme: Account, sim: Sim) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            there, _address = listening.accept()
            with there:
                there.recv(4096)
                there.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(Away, match="4 bytes"):
            list(fetched(f"http://127.0.0.1:{listening.getsockname()[1]}/f"))
        thread.join()


def test_files_are_handed_over_in_parts(acme: Account, sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    # More parts than AWS gives links for at a time.
    monkeypatch.setattr("awsint.sim.support.PART", 100_000)
    data = bytes(range(256)) * 9_000

    def read(begin: int, length: int) -> Iterator[bytes]:
        yield data[begin : begin + length]

    api = support(acme)
    number = api.upload("日志.bin", len(data), read)
    case = sim.open(ACME, "case", "body")
    api.add_communication(case.number, "with a file", uploads=[number])
    (file,) = case.words[-1].files
    assert sim.world.files[file].data == data
    small = api.attachment_set([("a.txt", b"a"), ("b.txt", b"b")])
    api.add_communication(case.number, "with two", attachment_set=small)
    assert len(case.words[-1].files) == 2


# --- Who we are ------------------------------------------------------------------------------------------------------


def test_a_wrong_external_id_and_a_role_that_is_not_there_are_denied(acme: Account, sim: Sim) -> None:
    for place in (
        Place(ACME, "aws", acme.role_arn, "another"),
        Place(ACME, "aws", acme.role_arn, ""),
        Place("999988887777", "aws", "arn:aws:iam::999988887777:role/PartnerSupportSync", EXTERNAL),
    ):
        with pytest.raises(Denied):
            list(client.support(place, Calls(), at=AT).open_cases())
    assert client.check(acme.place, Calls(), at=AT) == ACME


def test_no_account_is_ever_read_with_anothers_credentials(acme: Account, sim: Sim) -> None:
    sim.account(GLOBEX, external_id="globex")
    other = Place(GLOBEX, "aws", sim.world.accounts[GLOBEX].role_arn, "globex")
    sim.open(ACME, "Acme's", "body")
    sim.open(GLOBEX, "Globex's", "body")
    found: dict[str, set[str]] = {ACME: set(), GLOBEX: set()}

    def read(place: Place) -> None:
        api = client.support(place, Calls(), at=AT, turn=Turn.PERSON)
        found[place.number] |= {case.subject for case in api.open_cases()}

    # The hub is known from here on: threads of a test share no connection with it.
    assert client.check(acme.place, Calls(), at=AT) == ACME
    threads = [threading.Thread(target=read, args=(place,)) for place in [acme.place, other] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {ACME: {"Acme's"}, GLOBEX: {"Globex's"}}


def test_credentials_are_lent_once_and_renewed_before_they_end(
    acme: Account, sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(support(acme).open_cases())
    list(support(acme).open_cases())
    assert len(sim.world.keys) == 1
    later = time.monotonic() + sessions.HOUR_S * sessions.RENEW_AT + 1
    monkeypatch.setattr("awsint.client.sessions.time.monotonic", lambda: later)
    list(support(acme).open_cases())
    assert len(sim.world.keys) == 2


def test_credentials_that_end_early_are_lent_anew(acme: Account, sim: Sim) -> None:
    list(support(acme).open_cases())
    sim.world.expire(ACME)
    assert list(support(acme).open_cases()) == []
    assert len(sim.world.keys) == 2


def test_a_role_of_another_account_or_partition_is_never_asked_for(acme: Account, sim: Sim) -> None:
    made = Calls()
    for number, partition in ((GLOBEX, "aws"), (ACME, "aws-cn")):
        with pytest.raises(Denied) as caught:
            client.check(Place(number, partition, acme.role_arn, EXTERNAL), made, at=AT)
        assert caught.value.code == "RoleElsewhere"
    assert made.made == []


def test_whoever_acts_for_a_person_says_so_where_the_role_allows_it(acme: Account, sim: Sim) -> None:
    def arn(**given: str) -> str:
        told: str = Caller("sts", acme.place, Calls(), at=AT, turn=Turn.PERSON, **given).call("get_caller_identity")[
            "Arn"
        ]
        return told

    assert arn().endswith("/hd-poll")
    assert arn(name="hd-HD-1042", person="user:7").endswith("/hd-HD-1042")
    sim.account(ACME, takes_person=False)
    assert arn(name="hd-HD-1043", person="user:7").endswith("/hd-HD-1043")
    # Who reads is not taken for whoever wrote before.
    assert arn().endswith("/hd-poll")


def test_sts_that_does_not_answer_is_no_accounts_fault_and_nothing_has_happened(acme: Account, sim: Sim) -> None:
    made = Calls()
    sim.fault("sts-down", times=3)
    with pytest.raises(HubBroken):
        support(acme, made).create_case(subject="never", body="body", **CHOSEN)
    assert [(call.operation, call.result, call.attempts) for call in made.made] == [
        ("AssumeRole", "ServiceUnavailable", 3)
    ]
    assert sim.world.cases[ACME] == {}
    assert support(acme).severities()


def test_a_hub_that_aws_does_not_know_is_read_anew_and_then_ours_to_mend(
    acme: Account, sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.world.keys["AKIAHUB"] = Key(HUB, datetime(2026, 1, 1, tzinfo=UTC))
    own = client.support(Place(HUB, "aws"), Calls(), at=AT, turn=Turn.PERSON)
    with pytest.raises(HubBroken):
        own.severities()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANEW")
    with pytest.raises(NoPlan):
        own.severities()


def test_a_partition_without_a_hub_is_ours_to_mend(acme: Account, sim: Sim) -> None:
    with pytest.raises(HubBroken):
        client.check(Place(ACME, "aws-cn", f"arn:aws-cn:iam::{ACME}:role/x", "x"), Calls(), at=AT)
    hub_of("aws-cn")
    sim.account("777766665555", partition="aws-cn", external_id="cn")
    there = Place("777766665555", "aws-cn", sim.world.accounts["777766665555"].role_arn, "cn")
    assert list(client.support(there, Calls(), at=AT).open_cases()) == []


# --- What goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind"), [("throttle", Throttled), ("error", Away), ("denied", Denied), ("expired", Denied)]
)
def test_each_refusal_has_its_name(acme: Account, sim: Sim, fault: str, kind: type[AwsError]) -> None:
    sim.fault(fault, account=ACME, times=20)
    with pytest.raises(kind):
        list(support(acme).open_cases())


def test_what_passes_by_itself_is_not_noticed_but_counted(acme: Account, sim: Sim) -> None:
    made = Calls()
    sim.fault("throttle", account=ACME, times=2)
    sim.fault("error", account=ACME, times=1)
    assert list(support(acme, made).open_cases()) == []
    told = [(call.service, call.operation, call.result, call.attempts) for call in made.made]
    assert told == [("sts", "AssumeRole", "ok", 1), ("support", "DescribeCases", "ok", 4)]
    assert {(call.account, call.partition) for call in made.made} == {(ACME, "aws")}


def test_no_plan_and_a_wrong_clock_are_told_apart(acme: Account, sim: Sim) -> None:
    sim.account(ACME, plan="none")
    with pytest.raises(NoPlan):
        list(support(acme).open_cases())
    sim.account(ACME, plan="business")
    sim.world.skew = timedelta(hours=2)
    with pytest.raises(ClockSkew):
        list(support(acme).open_cases())


def test_what_changes_something_is_asked_once(acme: Account, sim: Sim) -> None:
    told = CHOSEN
    sim.fault("commit-then-500", account=ACME, operation="CreateCase")
    with pytest.raises(Away):
        support(acme).create_case(subject="once", body="body", **told)
    assert [case.subject for case in sim.world.cases[ACME].values()] == ["once"]
    sim.fault("throttle", account=ACME, operation="CreateCase")
    with pytest.raises(Throttled):
        support(acme).create_case(subject="too fast", body="body", **told)
    assert [what for _account, what in sim.world.calls].count("CreateCase") == 2
    with pytest.raises(Invalid):
        support(acme).create_case(subject="too high", body="body", **(told | {"severity": "critical"}))
    with pytest.raises(Invalid, match="8001"):
        support(acme).create_case(subject="too long", body="x" * 8001, **told)
    for n in range(9):
        support(acme).create_case(subject=f"case {n}", body="body", **told)
    with pytest.raises(LimitReached):
        support(acme).create_case(subject="the eleventh", body="body", **told)


def test_an_answer_that_is_lost_leaves_open_whether_it_happened(
    acme: Account, sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = sim.open(ACME, "case", "body")
    api, made = support(acme), Calls()
    assert api.severities()
    monkeypatch.setattr(sessions.WRITES, "read_timeout", 0.2)
    sim.fault("commit-then-hang", account=ACME, operation="AddCommunicationToCase", seconds=0.5)
    with pytest.raises(Away) as caught:
        api.add_communication(case.number, "once")
    assert caught.value.code == "ReadTimeoutError"
    assert [word.body for word in case.words] == ["body", "once"]
    # A read is asked again, as often as it may be, and each time is counted.
    monkeypatch.setenv("AWS_ENDPOINT_URL_SUPPORT", "http://127.0.0.1:9")
    with pytest.raises(Away):
        support(acme, made).severities()
    assert [(call.result, call.attempts) for call in made.made] == [("EndpointConnectionError", 5)]


def test_what_is_too_much_does_not_leave_the_house(acme: Account, sim: Sim) -> None:
    api, big = support(acme), b"x" * (5 * 1024 * 1024 + 1)
    many = [f"a{n}@acme.example" for n in range(11)]
    for wrong in (
        lambda: api.add_communication("case-1", "x" * 8001),
        lambda: api.add_communication("case-1", ""),
        lambda: api.add_communication("case-1", "body", cc=many),
        lambda: api.add_communication("case-1", "body", uploads=many),
        lambda: api.attachment_set([("a.txt", big)]),
        lambda: api.attachment_set([("a.txt", b"a")] * 4),
        lambda: api.upload("a.bin", 150 * 1024 * 1024 + 1, lambda *_place: iter([b""])),
    ):
        with pytest.raises(Invalid):
            wrong()
    assert sim.world.calls == []


def test_a_dry_run_changes_nothing(acme: Account, sim: Sim) -> None:
    for action in ("create", "reply", "resolve"):
        support(acme).dry_run(action)
    assert sim.world.cases[ACME] == {}
    sim.fault("denied", operation="ResolveCase")
    with pytest.raises(Denied):
        support(acme).dry_run("resolve")


# --- Pace and log ----------------------------------------------------------------------------------------------------


def test_a_person_goes_before_push_and_push_before_the_poll() -> None:
    now = [0.0]
    bucket = Bucket(lambda: now[0])
    taken = dict.fromkeys(Turn, 0)
    for _step in range(1000):
        now[0] += 0.01
        for turn in (Turn.POLL, Turn.PUSH, Turn.PERSON):
            taken[turn] += bucket.wait_for(turn) == 0
    # Ten seconds: five a second and what lay there; whoever sits before the screen gets them all if they want.
    assert sum(taken.values()) <= 55
    assert taken[Turn.PERSON] > 30 > taken[Turn.PUSH]
    bucket, alone = Bucket(lambda: now[0]), 0
    for _step in range(1000):
        now[0] += 0.01
        alone += bucket.wait_for(Turn.POLL) == 0
    assert 19 <= alone <= 21


@settings(max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 2000), st.sampled_from(Turn)), max_size=50))
def test_nobody_is_called_faster_than_aws_takes_it(steps: list[tuple[int, Turn]]) -> None:
    now = [0.0]
    bucket, taken = Bucket(lambda: now[0]), dict.fromkeys(Turn, 0)
    for ms, turn in steps:
        now[0] += ms / 1000
        if wait := bucket.wait_for(turn):
            # Whoever waits as long as told is served, when nobody else comes.
            now[0] += wait + 1e-6
            assert bucket.wait_for(turn) == 0
        taken[turn] += 1
        assert sum(taken.values()) <= RATE + RATE * now[0] + 1e-6
        assert taken[Turn.POLL] <= 1 + POLL_RATE * now[0] + 1e-6


def test_calls_are_kept_by_the_day_and_counted_by_the_hour(db: None, hub: Hub) -> None:
    from awsint.shapes import Call

    made = Calls(
        [
            Call(AT + timedelta(minutes=n), ACME, "aws", "support", "DescribeCases", "ok" if n else "Throttling", 20)
            for n in range(3)
        ]
    )
    calls.store(made)
    assert (CallLog.objects.count(), made.made) == (3, [])
    calls.keep(AT + timedelta(days=1))
    hour = CallHour.objects.get()
    assert (hour.hour, hour.calls, hour.failed, hour.ms) == (AT, 3, 1, 60)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM awsint_calllog")
        assert {name for (name,) in cursor.fetchall()} == {"awsint_calllog_rest"}
    # A day that gets its partition takes what came before; five weeks later it goes.
    calls.keep(AT)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM awsint_calllog")
        assert {name for (name,) in cursor.fetchall()} == {"awsint_calllog_20260302"}
    # A night that was missed is made up for: what came of it is counted before it goes.
    CallHour.objects.all().delete()
    calls.keep(AT + timedelta(days=3))
    assert CallHour.objects.get().calls == 3
    calls.keep(AT + timedelta(days=36))
    assert (CallLog.objects.count(), CallHour.objects.count()) == (0, 1)
