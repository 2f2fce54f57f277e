"""The shared state in Redis: users, events, items. `keys` is the schema; `open_store` opens it.

May be imported by `users`, `retrieval` and the rooms above them. It alone imports redis.
"""

from recsvc.store.catalogue import CatalogueStore
from recsvc.store.erasures import ErasureStore
from recsvc.store.event_log import EventLog, LogEntry
from recsvc.store.history import hash_of
from recsvc.store.keys import LOG_PARTITIONS
from recsvc.store.lists import ServedListStore
from recsvc.store.models import ModelStore, ServerProcess, WantedBundles
from recsvc.store.opening import open_store
from recsvc.store.patterns import PatternStore
from recsvc.store.popularity import Counts, PopularityStore
from recsvc.store.stream import Place
from recsvc.store.switches import SwitchState, SwitchStore
from recsvc.store.users import UserStore

__all__ = [
    "LOG_PARTITIONS",
    "CatalogueStore",
    "Counts",
    "ErasureStore",
    "EventLog",
    "LogEntry",
    "ModelStore",
    "PatternStore",
    "Place",
    "PopularityStore",
    "ServedListStore",
    "ServerProcess",
    "SwitchState",
    "SwitchStore",
    "UserStore",
    "WantedBundles",
    "hash_of",
    "open_store",
]
