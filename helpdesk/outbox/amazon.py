"""Asks Amazon SNS over https, at a host that somebody else has checked: no redirect is followed, nothing long is read.

By hand and not by boto3: neither question needs credentials, and the host is the one that the topic names.
"""

import http.client
import ssl
import urllib.error
import urllib.request
from urllib.error import URLError

TIMEOUT_S = 5
MOST_BYTES = 64 * 2**10


class Unreachable(Exception):
    """Amazon did not answer as it should; whoever asked may come back."""


def ask(host: str, path: str) -> bytes:
    """What stands at https://host/path, where that is answered with 200. Raises Unreachable."""
    request = urllib.request.Request(f"https://{host}{path}", headers={"Accept": "*/*"})
    try:
        with _opener().open(request, timeout=TIMEOUT_S) as answer:
            found: bytes = answer.read(MOST_BYTES + 1)
    except (URLError, OSError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise Unreachable(f"{host}: {error}") from error
    if len(found) > MOST_BYTES:
        raise Unreachable(f"{host}: the answer is too long")
    return found


def _opener() -> urllib.request.OpenerDirector:
    """Knows https and the proxies of the environment, and nothing of redirects, files or plain http."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener
