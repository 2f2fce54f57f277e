"""The schema: every key and field that recsvc has in Redis.

    {shop:alice}:1:user          hash, expires     the record of one user
        version                    decimal, grows with every change of the history or profile
        history                    `packing.pack_history`
        profile                    `packing.pack_profile`
        profile_embedding          `packing.pack_embedding`
        taste                      `packing.pack_taste`
        vector:<bundle_id>         `packing.pack_vector`, with the version it was computed from
    {shop:alice}:1:lists         list, capped, expires   `log_packing.pack_served_list`, newest first
    {shop:alice}:1:counted       string, capped, expires   hashes of the ids of the newest events, each with a token of
                                                   the call that counted it; see `user_scripts.WRITE_EVENTS`
    {shop:erasures}:1:users      stream, capped    `h`: `history.hash_of` the id of an erased user, `n`: a nonce
    {shop:event_log:7}:1:events  stream, capped    one partition of the event log
    {shop:catalogue}:1:price     hash              by item id: `packing.pack_item_change`. Also `stock`, ...
    {shop:catalogue}:1:changes   stream, capped    changes that took effect. `f`: the field, `i`: the item, `v`: the
                                                   packed value (empty for words), `n`: a nonce
    {shop:catalogue}:1:beats:<process>  string, expires  counts the looks of one process at Redis
    {shop:schema}:version        string            the number of the schema, 1
    {shop:schema}:migrating      string, expires   a process migrates it
    {shop:catalogue}:1:confirmation  string, expires   written before a wait for replicas
    {shop:models}:1:bundles      hash              active, previous, loaded: ids of bundles; number: version
    {shop:models}:1:processes    hash              by process id: its state, as JSON
    {shop:reasons}:1:patterns:<author>  hash, expires   by claim key: patterns of a language model, as JSON
    {shop:reasons}:1:wanted:<author>    set, expires    claim keys that it has yet to write for
    {shop:reasons}:1:worker:<author>    string, expires  a reason worker runs
    {shop:reasons}:1:away:<author>      string, expires  its language model does not answer
    {shop:reasons}:1:off         set, capped       switches for texts turned off, as JSON, and the number of changes
    {shop:popularity}:1:de:14:9  sorted set, capped, expires   item ids by decayed count. The name holds the segment
                                                   ('' for the whole shop), the half-life in days, and the
                                                   number of the set

`shop` is the namespace. The part in braces is the hash tag: a Redis Cluster keeps all keys of one tag in one slot.
The number is the schema version. Ids are percent-encoded, so a colon or brace in an id cannot forge another key.
"""

import zlib
from urllib.parse import quote, unquote

SCHEMA_VERSION = 1

# Part of the schema: with another number, a user's events would be looked for in the wrong partition. There are enough
# to spread over a Cluster, and few enough that an erasure reads only a sixteenth of the log.
LOG_PARTITIONS = 16

VERSION = "version"
HISTORY = "history"
PROFILE = "profile"
PROFILE_EMBEDDING = "profile_embedding"
TASTE = "taste"


def user(namespace: str, user_id: str) -> str:
    """The hash with the record of one user."""
    return f"{{{_encoded(namespace)}:{_encoded(user_id)}}}:{SCHEMA_VERSION}:user"


def every_user(namespace: str) -> str:
    """A pattern that matches the records of users, and no other key of recsvc."""
    return f"{{{_encoded(namespace)}:*}}:{SCHEMA_VERSION}:user"


def every_key(namespace: str) -> str:
    """A pattern that matches every key of recsvc."""
    return f"{{{_encoded(namespace)}:*"


def schema(namespace: str) -> str:
    """The string with the version of the schema. Its name is the same in every version."""
    return f"{{{_encoded(namespace)}:schema}}:version"


def schema_lock(namespace: str) -> str:
    """The string that a process keeps while it migrates the schema."""
    return f"{{{_encoded(namespace)}:schema}}:migrating"


def tag_start(namespace: str) -> str:
    """How every key of a namespace begins."""
    return f"{{{_encoded(namespace)}:"


def passing(namespace: str) -> tuple[bytes, ...]:
    """How the keys begin that tell of the moment only, and are in no backup."""
    names = (beats(namespace, ""), confirmation(namespace), schema_lock(namespace), probe(namespace))
    return tuple(name.encode() for name in (*names, models(namespace, "processes")))


def confirmation(namespace: str) -> str:
    """A key that is written to learn whether replicas have all that was written before."""
    return catalogue(namespace, "confirmation")


def probe(namespace: str) -> str:
    """A key that `recsvc.store.permissions` uses for a moment."""
    return f"{{{_encoded(namespace)}:probe}}:{SCHEMA_VERSION}:permissions"


def user_id_of(key: bytes) -> str:
    """The user whose record has this key."""
    return unquote(key.decode().partition(":")[2].partition("}")[0])


def lists(namespace: str, user_id: str) -> str:
    """The list with the last lists that one user was shown."""
    return f"{{{_encoded(namespace)}:{_encoded(user_id)}}}:{SCHEMA_VERSION}:lists"


def counted(namespace: str, user_id: str) -> str:
    """The string that tells which call counted each of the newest events of one user."""
    return f"{{{_encoded(namespace)}:{_encoded(user_id)}}}:{SCHEMA_VERSION}:counted"


def vector(bundle_id: str) -> str:
    """The field of a user's record with the vector that one bundle computed."""
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
    """The stream of changes to items."""
    return catalogue(namespace, "changes")


def beats(namespace: str, process: str) -> str:
    """The counter of one process, on the server of a Cluster that has the catalogue."""
    return catalogue(namespace, f"beats:{_encoded(process)}")


def models(namespace: str, name: str, schema_version: int = SCHEMA_VERSION) -> str:
    """The hash `bundles` (which are wanted) or `processes` (which bundles each has)."""
    return f"{{{_encoded(namespace)}:models}}:{schema_version}:{name}"


def popularity(namespace: str, segment: str, half_life: float, epoch: int) -> str:
    """The sorted set with decayed counts of a segment's items.

    Args:
        namespace: Of the keys.
        segment: Of the shop's users; '' for the whole shop.
        half_life: Days.
        epoch: Number of the set; see `recsvc.store.popularity`.
    """
    return f"{{{_encoded(namespace)}:popularity}}:{SCHEMA_VERSION}:{_encoded(segment)}:{half_life:g}:{epoch}"


def patterns(namespace: str, author: str) -> str:
    """The hash with the patterns of one author."""
    return f"{{{_encoded(namespace)}:reasons}}:{SCHEMA_VERSION}:patterns:{_encoded(author)}"


def wanted_patterns(namespace: str, author: str) -> str:
    """The set of claim keys that one author has yet to write for."""
    return f"{{{_encoded(namespace)}:reasons}}:{SCHEMA_VERSION}:wanted:{_encoded(author)}"


def worker(namespace: str, author: str) -> str:
    """The string that a reason worker of one author renews while it runs."""
    return f"{{{_encoded(namespace)}:reasons}}:{SCHEMA_VERSION}:worker:{_encoded(author)}"


def author_away(namespace: str, author: str) -> str:
    """The string that a reason worker renews while its language model does not answer."""
    return f"{{{_encoded(namespace)}:reasons}}:{SCHEMA_VERSION}:away:{_encoded(author)}"


def switches(namespace: str) -> str:
    """The set of switches for texts that are turned off."""
    return f"{{{_encoded(namespace)}:reasons}}:{SCHEMA_VERSION}:off"


def log_partition(user_id: str) -> int:
    """The partition, 0 to `LOG_PARTITIONS` - 1, with all logged events of a user."""
    return zlib.crc32(user_id.encode()) % LOG_PARTITIONS


def _encoded(name: str) -> str:
    return quote(name, safe="")
