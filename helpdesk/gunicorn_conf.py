"""How the web server runs: two processes of four threads, loaded once and forked."""

from typing import Any

from helpdesk.supervisor import die_with_parent_from_here_on

worker_class = "gthread"
workers = 2
threads = 4
preload_app = True
timeout = 60
graceful_timeout = 8
keepalive = 15
accesslog = None
errorlog = "-"
loglevel = "warning"
proc_name = "helpdesk-web"


def on_starting(server: Any) -> None:
    die_with_parent_from_here_on()


def post_fork(server: Any, worker: Any) -> None:
    # A connection opened while loading belongs to the master.
    from django.db import connections

    connections.close_all()
