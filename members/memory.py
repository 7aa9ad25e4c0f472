"""What may be forgotten: Django's cache in Valkey, and in this process's own memory while Valkey is gone.

The sign-in's own limits (how often a password may be tried) count in this cache; without a fallback nobody could sign
in while Valkey is away.
"""

from functools import partialmethod
from typing import Any

import redis
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from members import clock

# After a failure Valkey is left alone for a while: a dead cache must not slow every request by its time-out.
SILENCE_SECONDS = 5


class ValkeyOrProcess(RedisCache):
    """Valkey's cache; the same questions go to the process's own memory while Valkey does not answer."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        """Take where Valkey is."""
        super().__init__(server, params)
        self._own = LocMemCache("without-valkey", {"OPTIONS": {"MAX_ENTRIES": 50_000}})
        self._silent_until = 0.0

    def _ask(self, question: str, *args: Any, **kwargs: Any) -> Any:
        if clock.ticks() >= self._silent_until:
            try:
                return getattr(super(), question)(*args, **kwargs)
            except redis.RedisError:
                self._silent_until = clock.ticks() + SILENCE_SECONDS
        return getattr(self._own, question)(*args, **kwargs)

    add = partialmethod(_ask, "add")
    get = partialmethod(_ask, "get")
    set = partialmethod(_ask, "set")
    touch = partialmethod(_ask, "touch")
    delete = partialmethod(_ask, "delete")
    get_many = partialmethod(_ask, "get_many")
    has_key = partialmethod(_ask, "has_key")
    incr = partialmethod(_ask, "incr")
    set_many = partialmethod(_ask, "set_many")
    delete_many = partialmethod(_ask, "delete_many")
    clear = partialmethod(_ask, "clear")
