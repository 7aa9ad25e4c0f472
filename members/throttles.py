"""Throttles: how often one person or one address may ask. Counted in Valkey, and per process when Valkey is gone.

A lost counter costs nothing but a minute's patience, so nothing here is kept and nothing waits for it.
"""

from dataclasses import dataclass, field

import redis
from django.conf import settings

from members import clock
from members.problems import Problem

WINDOW_SECONDS = 60
# After a failure Valkey is left alone for a while: a dead cache must not slow every request by its time-out.
SILENCE_SECONDS = 5
COUNTERS_MOST = 50_000

# In one command, because a counter that was begun and never told when to end would refuse somebody for ever.
_COUNT = """
local counted = redis.call('INCRBY', KEYS[1], ARGV[1])
if counted == tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return counted
"""


class TooManyRequests(Problem):
    """The limit of the minute is reached; it can be tried again after `retry_after_seconds`."""

    slug, status, title = "too-many-requests", 429, "Too many requests"


@dataclass
class _Counters:
    """This process's own counters, for when Valkey does not answer."""

    silent_until: float = 0.0
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def count(self, key: str, by: int, seconds: int) -> int:
        window = int(clock.ticks() // seconds)
        if len(self.counts) > COUNTERS_MOST:
            self.counts.clear()
        began, counted = self.counts.get(key, (window, 0))
        counted = by + (counted if began == window else 0)
        self.counts[key] = (window, counted)
        return counted


_own = _Counters()
_valkey: redis.Redis | None = None


def _connection() -> redis.Redis:
    global _valkey  # noqa: PLW0603  (one connection per process)
    if _valkey is None:
        _valkey = redis.Redis.from_url(
            f"{settings.VALKEY_URL}/0",
            socket_timeout=0.25,
            socket_connect_timeout=0.25,
            retry=None,
            single_connection_client=True,
        )
    return _valkey


def count(key: str, *, by: int = 1, seconds: int = WINDOW_SECONDS) -> int:
    """Add `by` to the counter and return it; it starts again `seconds` after its first use. One round trip."""
    if clock.ticks() >= _own.silent_until:
        try:
            return int(_connection().execute_command("EVAL", _COUNT, 1, f"throttle:{key}", by, seconds))
        except redis.RedisError:
            _own.silent_until = clock.ticks() + SILENCE_SECONDS
    return _own.count(key, by, seconds)


def check(key: str, *, limit: int, seconds: int = WINDOW_SECONDS) -> None:
    """Count one request and raise TooManyRequests beyond `limit` in the window."""
    if count(key, seconds=seconds) > limit:
        raise TooManyRequests(
            f"more than {limit} requests in {seconds} seconds; wait a little and try again", retry_after_seconds=seconds
        )
