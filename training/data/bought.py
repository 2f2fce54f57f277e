"""Selects the purchases that were not sent back from a table of events."""

import numpy as np
import polars as pl

from recsvc.domain.purchases import counted_pieces
from recsvc.domain.shop import EventType

PURCHASE, RETURN = EventType.PURCHASE.name.lower(), EventType.RETURN.name.lower()


def bought(events: pl.DataFrame) -> pl.Series:
    """Tells which events are purchases that were not sent back, as `recsvc.domain.purchases` does.

    Args:
        events: The columns user_id, item_id, event_type and timestamp. Without a column quantity, or where it is
            empty, an event is of one piece.

    Returns:
        A mask, one value for each event.
    """
    pair = ["user_id", "item_id"]
    sent_back = events.filter(pl.col("event_type") == RETURN).select(pair).unique().with_row_index("key")
    keys = events.join(sent_back, on=pair, how="left", maintain_order="left")["key"].fill_null(len(sent_back))
    quantities = events["quantity"].fill_null(1.0).to_numpy() if "quantity" in events.columns else np.ones(len(events))
    purchases = (events["event_type"] == PURCHASE).to_numpy()
    pieces = counted_pieces(
        keys.to_numpy().astype(np.int64),
        events["timestamp"].to_physical().to_numpy(),
        quantities.astype(np.float32),
        purchases,
        (events["event_type"] == RETURN).to_numpy(),
    )
    return pl.Series("bought", purchases & (pieces > 0))
