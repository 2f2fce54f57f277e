"""Converts protos to domain types and back, and checks the limits that the protos document. `service` may import it.

`decode_*` raise InvalidRequest with all violations at once; a description never repeats what the caller sent.
`encode_*` build responses in place (`add`, then set): it takes half the time of nested constructors, in every list.
"""

from recsvc.wire.audience import decode_find_audience, encode_find_audience
from recsvc.wire.catalog import decode_delete_items, decode_set_inventory, decode_upsert_items
from recsvc.wire.content import decode_generate, encode_drafts, encode_recipes
from recsvc.wire.events import decode_write_events, encode_write_events
from recsvc.wire.explain import (
    decode_explain_recommendation,
    decode_why_not,
    encode_explain_recommendation,
    encode_why_not,
)
from recsvc.wire.models import decode_bundle_id, encode_bundles
from recsvc.wire.policy import decode_switch, encode_switches
from recsvc.wire.recommendations import (
    decode_batch_recommend,
    decode_rank,
    decode_recommend,
    decode_similar_items,
    decode_stream_reasons,
    encode_batch_recommend,
    encode_rank,
    encode_reason_update,
    encode_recommend,
    encode_similar_items,
    encode_streamed_list,
)
from recsvc.wire.user_export import decode_export_user, encode_export_user
from recsvc.wire.users import (
    MAX_TASTE,
    decode_get_erasure,
    decode_set_profile,
    decode_update_taste,
    decode_user_id,
    encode_erasure,
    encode_taste,
    encode_taste_profile,
)

__all__ = [
    "MAX_TASTE",
    "decode_batch_recommend",
    "decode_bundle_id",
    "decode_delete_items",
    "decode_explain_recommendation",
    "decode_export_user",
    "decode_find_audience",
    "decode_generate",
    "decode_get_erasure",
    "decode_rank",
    "decode_recommend",
    "decode_set_inventory",
    "decode_set_profile",
    "decode_similar_items",
    "decode_stream_reasons",
    "decode_switch",
    "decode_update_taste",
    "decode_upsert_items",
    "decode_user_id",
    "decode_why_not",
    "decode_write_events",
    "encode_batch_recommend",
    "encode_bundles",
    "encode_drafts",
    "encode_erasure",
    "encode_explain_recommendation",
    "encode_export_user",
    "encode_find_audience",
    "encode_rank",
    "encode_reason_update",
    "encode_recipes",
    "encode_recommend",
    "encode_similar_items",
    "encode_streamed_list",
    "encode_switches",
    "encode_taste",
    "encode_taste_profile",
    "encode_why_not",
    "encode_write_events",
]
