"""Signed answers, kept in memory: bounded, oldest out first, read without a lock."""

import threading
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """At most `most` entries; who is put anew leaves last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: dict[K, V] = {}  # written under _lock; a dictionary may be read meanwhile
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        return self._entries.get(key)

    def put(self, key: K, value: V) -> None:
        with self._lock:
            self._entries.pop(key, None)
            self._entries[key] = value
            if len(self._entries) > self._most:
                del self._entries[next(iter(self._entries))]

    def __len__(self) -> int:
        return len(self._entries)
