"""Every recurring job, a line each; and after how many seconds of silence a process counts as late."""

from django.utils.translation import gettext_noop as _

LATE_AFTER = {"worker": 15, "pulse": 10, "qcluster": 30}

# What django-q2 runs: name, function, cron line (UTC).
JOBS = [
    (_("Forget the keys of yesterday's forms"), "helpdesk.accounts.tasks.forget_once", "10 19 * * *"),
    (_("Clear expired sessions"), "helpdesk.accounts.tasks.clear_sessions", "20 19 * * *"),
    (_("Bring the search index up to date"), "tickets.reindex.for_a_while", "*/5 * * * *"),
    (_("Compare what engineers have in hand with their tickets"), "tickets.loads.reconcile", "25 19 * * *"),
    (_("Reckon all clocks again and compare them"), "tickets.tasks.compare_clocks", "35 19 * * *"),
    (_("Remind the leads of causes that are owed"), "tickets.tasks.remind_of_causes", "0 * * * *"),
    (_("Draw previews of files"), "tickets.tasks.draw_due", "* * * * *"),
    (_("Remove files that were never sent"), "tickets.tasks.forget_files", "50 * * * *"),
    (_("Tell administrators whose holidays end"), "sla.tasks.warn_of_calendars", "5 1 * * *"),
    (_("Tell leads and administrators whose plan ends"), "sla.tasks.warn_of_plans", "15 1 * * *"),
    (_("Freeze the reports of a month that is over"), "tickets.freeze_tasks.freeze_months", "2 * * * *"),
    (_("Keep the days of the AWS call log"), "awsint.tasks.keep_calls", "45 19 * * *"),
    # The settings say how often an account is read; each minute those are looked for whose time has come.
    (_("Read the cases of AWS accounts"), "awsint.tasks.poll_cases", "* * * * *"),
    (_("Fetch the files of AWS cases"), "awsint.tasks.fetch_files", "* * * * *"),
    (_("Count this hour's calls to AWS"), "awsint.tasks.count_calls", "*/5 * * * *"),
    (_("Read AWS Health"), "awsint.health_tasks.read", "* * * * *"),
    (_("Open and tell what is due of AWS Health"), "awsint.health_tasks.sweep", "* * * * *"),
    (_("Decide again what comes nearer of AWS Health"), "awsint.health_tasks.raise_due", "*/15 * * * *"),
    (_("Cull the cache"), "helpdesk.accounts.tasks.cull_cache", "30 19 * * *"),
    (_("Forget where writes of 180 days ago came from"), "helpdesk.audit.tasks.forget_origins", "40 19 * * *"),
]

# What the pulse does itself: name, function of the instant, every so many seconds.
PULSE = [
    ("held letters", "helpdesk.outbox.enqueue.release", 1),
    ("letters", "helpdesk.outbox.deliver.due", 1),
    ("letters to AWS", "awsint.sending.due", 1),
    ("clocks", "tickets.sweeping.sweep", 60),
    ("timers", "tickets.waking.wake", 60),
    ("limits", "helpdesk.accounts.doors.forget_limits", 60),
    ("presence", "tickets.presence.forget", 30),
    ("long jobs", "helpdesk.jobs.work.pick_up", 10),
    ("seals", "helpdesk.audit.seal.due", 60),
    ("answers to AWS", "awsint.seen.settle", 5),
    ("watch over AWS", "awsint.watching.watch", 60),
]

# What the worker runs beside them where it has work: name, command, and the function that says whether it has.
SOMETIMES = [("The consumer of AWS's queues", "consume_support", "awsint.sources.wanted")]


def sync() -> None:
    """Writes the jobs as django-q2's schedules; what is no longer in the list goes."""
    from django_q.models import Schedule

    for name, func, cron in JOBS:
        Schedule.objects.update_or_create(
            name=name, defaults={"func": func, "cron": cron, "schedule_type": Schedule.CRON}
        )
    Schedule.objects.exclude(name__in=[name for name, _func, _cron in JOBS]).delete()
