"""Counters that several web processes share, and that go on counting where Redis does not answer."""

import logging
import time
from typing import Any, ClassVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

AWAY_SECONDS = 2.0  # so long a Redis that did not answer is not asked again
log = logging.getLogger(__name__)


class Counting(RedisCache):
    """Redis; while it does not answer, this process counts for itself, so that no request fails and
    nobody can try without limit."""

    away_until: ClassVar[float] = 0.0  # for all threads: each has an object of its own

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._own = LocMemCache(f"beside {server}", {})

    def _asked(self, name: str, *args: Any, **named: Any) -> Any:
        if time.monotonic() >= Counting.away_until:
            try:
                return getattr(super(), name)(*args, **named)
            except RedisError as error:
                Counting.away_until = time.monotonic() + AWAY_SECONDS
                log.warning("counters are this process's own for now: %s", type(error).__name__)
        return getattr(self._own, name)(*args, **named)

    def add(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        return bool(self._asked("add", key, value, timeout, version))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._asked("get", key, default, version)

    def set(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        self._asked("set", key, value, timeout, version)

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._asked("touch", key, timeout, version))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._asked("delete", key, version))

    def has_key(self, key: str, version: int | None = None) -> bool:
        return bool(self._asked("has_key", key, version))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        return int(self._asked("incr", key, delta, version))

    def get_many(self, keys: Any, version: int | None = None) -> dict[str, Any]:
        return dict(self._asked("get_many", keys, version))

    def set_many(
        self, data: dict[str, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> list[str]:
        return list(self._asked("set_many", data, timeout, version))

    def delete_many(self, keys: Any, version: int | None = None) -> None:
        self._asked("delete_many", keys, version)

    def clear(self) -> None:
        self._asked("clear")
