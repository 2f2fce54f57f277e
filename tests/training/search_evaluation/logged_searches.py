"""Writes searches and events as `training.export_events` does, for the tests of what reads them."""

from pathlib import Path

from recsvc.domain.records import ServedList
from recsvc.domain.shop import Event, EventType
from training.data.parquet_parts import EVENTS, SEARCHES, event_rows, search_rows

START = 1_760_000_000_000_000  # microseconds
MINUTE = 60_000_000


class SearchLog:
    """Searches of a shop; `write` puts them into its folder."""

    def __init__(self) -> None:
        self._lists: list[ServedList] = []
        self._events: list[Event] = []

    def search(self, user_id: str, query: str, minute: float = 0, shown: tuple[str, ...] = ("i0",)) -> ServedList:
        served = ServedList(
            recommendation_id=f"r{len(self._lists)}",
            user_id=user_id,
            time=int(START + minute * MINUTE),
            version=0,
            placement="",
            arm="",
            propensity=1.0,
            bundle_id="b",
            surface="search",
            shown=0,
            items=tuple((item_id, 1.0) for item_id in shown),
            query=query,
        )
        self._lists.append(served)
        return served

    def open(
        self, served: ServedList, kind: EventType = EventType.VIEW, hours: float = 0.01, item_id: str = ""
    ) -> None:
        item_id, time = item_id or served.items[0][0], int(served.time + hours * 60 * MINUTE)
        list_id = served.recommendation_id
        number = f"e{len(self._events)}"
        self._events.append(Event(number, served.user_id, item_id, kind, time, recommendation_id=list_id))

    def buy(self, user_id: str, item_id: str, minute: float) -> None:
        time = int(START + minute * MINUTE)
        self._events.append(Event(f"e{len(self._events)}", user_id, item_id, EventType.PURCHASE, time))

    def write(self, folder: Path) -> Path:
        SEARCHES.add(folder / "searches" / "partition-00", search_rows(self._lists), "0-1")
        EVENTS.add(folder / "events" / "partition-00", event_rows(self._events), "0-1")
        return folder
