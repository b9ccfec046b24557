"""The cache: Django's for Redis, which keeps the clients that Django's makes anew for each call."""

from typing import Any

from django.core.cache.backends import redis


class KeptClients(redis.RedisCacheClient):
    """One client for each pool of connections; every thread has a cache, and so its clients, to itself."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._kept: dict[Any, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        pool = self._get_connection_pool(write)  # type: ignore[attr-defined]
        if pool not in self._kept:
            self._kept[pool] = self._client(connection_pool=pool)  # type: ignore[attr-defined]
        return self._kept[pool]


class Cache(redis.RedisCache):
    """`django.core.cache.backends.redis.RedisCache` with clients that are kept."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = KeptClients
