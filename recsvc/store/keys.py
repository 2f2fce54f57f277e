"""Every key and field that recsvc has in Redis.

    {shop:alice}:1:user          hash, expires     all that is held of one user
        version                    decimal, grows with every change of the history or profile
        history                    `packing.pack_history`
        profile                    `packing.pack_profile`
        profile_embedding          `packing.pack_embedding`
        taste                      `packing.pack_taste`
        vector:<bundle_id>         `packing.pack_vector`, with the version it was computed from
    {shop:alice}:1:lists         list, capped, expires   `packing.pack_given_list`, newest first
    {shop:erasures}:1:users      stream, capped    `h`: `history.hash_of` of a user who was erased
    {shop:event_log:7}:1:events  stream, capped    one partition of the event log
    {shop:catalogue}:1:price     hash              by item id `packing.pack_item_change`; so `stock`, ...
    {shop:catalogue}:1:changes   stream, capped    changes that took effect, entries 1-0, 2-0, ...
    {shop:models}:1:bundles      hash              active, previous, loaded: ids of bundles
    {shop:models}:1:processes    hash              by process what it does, as JSON
    {shop:reasons}:1:patterns:<author>  hash, expires   by claim, as JSON, what a language model wrote of it
    {shop:reasons}:1:wanted:<author>    set, expires    claims that it is to write of
    {shop:reasons}:1:off         set, capped       texts that are turned off, as JSON
    {shop:popularity}:1:de:14:9  sorted set, capped, expires   item ids by decayed count: of a segment ('' for the whole
                                                   shop), by the half-life in days, the ninth such set

`shop` is the namespace. What stands in braces is the hash tag: a Redis Cluster keeps all keys of one tag in one slot.
The number is the schema version. Ids are percent-encoded, so a colon or brace in one cannot forge another key.
"""

import zlib
from urllib.parse import quote, unquote

SCHEMA_VERSION = 1

# Part of the schema: another number would look for a user's events in the wrong partition. Enough to spread over a
# Cluster, few enough that an erasure walks a sixteenth of the log.
LOG_PARTITIONS = 16

VERSION = "version"
HISTORY = "history"
PROFILE = "profile"
PROFILE_EMBEDDING = "profile_embedding"
TASTE = "taste"


def user(namespace: str, user_id: str) -> str:
    """The hash that holds one user."""
    return f"{{{_encoded(namespace)}:{_encoded(user_id)}}}:{SCHEMA_VERSION}:user"


def every_user(namespace: str) -> str:
    """A pattern that the hashes of users match, and no other key of recsvc."""
    return f"{{{_encoded(namespace)}:*}}:{SCHEMA_VERSION}:user"


def user_id_of(key: bytes) -> str:
    """Whose hash a key is."""
    return unquote(key.decode().partition(":")[2].partition("}")[0])


def lists(namespace: str, user_id: str) -> str:
    """The list of what one user was shown of late."""
    return f"{{{_encoded(namespace)}:{_encoded(user_id)}}}:{SCHEMA_VERSION}:lists"


def vector(bundle_id: str) -> str:
    """The field of a user's hash with the vector that one bundle computed."""
    return f"vector:{bundle_id}"


def erasures(namespace: str) -> str:
    """The stream of hashes of erased users."""
    return f"{{{_encoded(namespace)}:erasures}}:{SCHEMA_VERSION}:users"


def event_log(namespace: str, partition: int) -> str:
    """The stream that is one partition of the event log."""
    return f"{{{_encoded(namespace)}:event_log:{partition}}}:{SCHEMA_VERSION}:events"


def catalogue(namespace: str, field: str) -> str:
    """The hash that holds one field of all items."""
    return f"{{{_encoded(namespace)}:catalogue}}:{SCHEMA_VERSION}:{field}"


def catalogue_changes(namespace: str) -> str:
    """The stream of changes of items."""
    return catalogue(namespace, "changes")


def models(namespace: str, name: str) -> str:
    """The hash of the bundles that are wanted, or of the processes that have them."""
    return f"{{{_encoded(namespace)}:models}}:{SCHEMA_VERSION}:{name}"


def popularity(namespace: str, segment: str, half_life: float, epoch: int) -> str:
    """The sorted set that holds decayed counts of a segment's items."""
    return f"{{{_encoded(namespace)}:popularity}}:{SCHEMA_VERSION}:{_encoded(segment)}:{half_life:g}:{epoch}"


def patterns(namespace: str, author: str) -> str:
    """The hash of what a language model has written."""
    return f"{{{_encoded(namespace)}:reasons}}:{SCHEMA_VERSION}:patterns:{_encoded(author)}"


def wanted_patterns(namespace: str, author: str) -> str:
    """The set of what it is asked to write."""
    return f"{{{_encoded(namespace)}:reasons}}:{SCHEMA_VERSION}:wanted:{_encoded(author)}"


def switches(namespace: str) -> str:
    """The set of texts that are turned off."""
    return f"{{{_encoded(namespace)}:reasons}}:{SCHEMA_VERSION}:off"


def log_partition(user_id: str) -> int:
    """The partition, 0 to `LOG_PARTITIONS` - 1, that holds all logged events of a user."""
    return zlib.crc32(user_id.encode()) % LOG_PARTITIONS


def _encoded(name: str) -> str:
    return quote(name, safe="")
