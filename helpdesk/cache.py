"""The cache as a table, shared by all processes: one upsert per write.

Django's own counts all rows at each write to see whether it must cull. Here a nightly job culls (accounts/tasks.py), so
that a write costs the same in a full cache as in an empty one.
"""

import base64
import pickle
import time
from datetime import UTC, datetime
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.db import connections, router

FOREVER = datetime(9999, 12, 31, tzinfo=UTC)


class TableCache(DatabaseCache):
    """`LOCATION` names the table, which `createcachetable` makes."""

    _table: str

    def _base_set(self, mode: str, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT) -> bool:
        ends = self.get_backend_timeout(timeout)
        expires = FOREVER if ends is None else datetime.fromtimestamp(int(ends), UTC)
        text = base64.b64encode(pickle.dumps(value, self.pickle_protocol)).decode("latin1")
        db = router.db_for_write(self.cache_model_class)
        table = connections[db].ops.quote_name(self._table)
        # `add` takes the place of an expired value only, `touch` of a living one, `set` of any.
        # When a value runs out is the machine's business, as in Django's own: no door passes it.
        now = datetime.fromtimestamp(time.time(), UTC)
        condition = {"add": f"WHERE {table}.expires < %s", "set": "", "touch": ""}[mode]
        params: list[str | datetime]
        if mode == "touch":
            sql, params = f"UPDATE {table} SET expires = %s WHERE cache_key = %s AND expires >= %s", [expires, key, now]
        else:
            sql = (
                f"INSERT INTO {table} (cache_key, value, expires) VALUES (%s, %s, %s) ON CONFLICT (cache_key) "
                f"DO UPDATE SET value = excluded.value, expires = excluded.expires {condition}"
            )
            params = [key, text, expires, *([now] if mode == "add" else [])]
        with connections[db].cursor() as cursor:
            cursor.execute(sql, params)
            return bool(cursor.rowcount)

    def cull(self, at: datetime) -> int:
        """Removes what expired before `at`; returns how many rows went."""
        db = router.db_for_write(self.cache_model_class)
        with connections[db].cursor() as cursor:
            cursor.execute(f"DELETE FROM {connections[db].ops.quote_name(self._table)} WHERE expires < %s", [at])
            return int(cursor.rowcount)
