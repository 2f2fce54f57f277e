"""The Lua scripts. Each is one atomic step on keys of one hash tag, so it also runs on a Cluster.

Versions are microseconds of Redis's own clock, and at least 1 above the last version. So they grow even if a user is
erased and comes back, and the clocks of servers need not agree. A double is exact for them until the year 2255.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from redis.exceptions import NoScriptError

from recsvc.store.connection import RedisClient

_NEW_VERSION = """
local function new_version(key)
  local now = redis.call('TIME')
  local last = tonumber(redis.call('HGET', key, 'version') or '0')
  local version = math.max(last + 1, now[1] * 1000000 + now[2])
  redis.call('HSET', key, 'version', string.format('%.0f', version))
  return version
end
"""

# A record without anything that the user did or said is deleted. No update of one part may clear another.
_KEEP = """
local function keep(key, milliseconds)
  local parts = 0
  for _, field in ipairs({'history', 'profile', 'taste'}) do parts = parts + redis.call('HEXISTS', key, field) end
  if parts == 0 then redis.call('DEL', key) else redis.call('PEXPIRE', key, milliseconds) end
end
"""

# KEYS: user. Returns the version, the packed history, and the time by Redis's clock in microseconds since 1970 UTC.
READ_HISTORY = """
local record, now = redis.call('HMGET', KEYS[1], 'version', 'history'), redis.call('TIME')
record[3] = now[1] * 1000000 + now[2]
return record
"""

# KEYS: user, its counted events. ARGV: token of the call (4 bytes), hashes of the ids of new events (8 bytes each, as
# one string), milliseconds to keep them, bytes to keep at least; the version that was read ('0': none), packed history
# ('': write none), milliseconds to live.
# Claims the new events, and then writes the history, unless another writer has changed the record since it was read.
# Returns the new version (0: not written), and for each hash '1' if this call has claimed it, now or before, or '0' if
# another call has. So a call that lost the answer asks again with the same token.
WRITE_EVENTS = (
    _NEW_VERSION
    + """
local mine = {}
if ARGV[2] ~= '' then
  local claims, added = redis.call('GET', KEYS[2]) or '', {}
  local function token_of(hash)
    local first = string.find(claims, hash, 1, true)
    while first and first % 12 ~= 1 do first = string.find(claims, hash, first + 1, true) end
    return first and string.sub(claims, first + 8, first + 11)
  end
  for i = 1, #ARGV[2], 8 do
    local hash = string.sub(ARGV[2], i, i + 7)
    local token = token_of(hash)
    if not token then added[#added + 1] = hash .. ARGV[1] end
    mine[#mine + 1] = (not token or token == ARGV[1]) and '1' or '0'
  end
  if #added > 0 then
    local bytes = redis.call('APPEND', KEYS[2], table.concat(added))
    if bytes > 2 * ARGV[4] then
      redis.call('SET', KEYS[2], string.sub(claims .. table.concat(added), -ARGV[4]))
    end
    redis.call('PEXPIRE', KEYS[2], ARGV[3])
  end
end
local version = 0
if ARGV[6] ~= '' and (redis.call('HGET', KEYS[1], 'version') or '0') == ARGV[5] then
  version = new_version(KEYS[1])
  redis.call('HSET', KEYS[1], 'history', ARGV[6])
  redis.call('PEXPIRE', KEYS[1], ARGV[7])
end
return {version, table.concat(mine)}
"""
)

# KEYS: user. ARGV: packed profile ('': none), packed embedding ('': none), milliseconds to live.
# The same profile again does not change the version.
SET_PROFILE = (
    _NEW_VERSION
    + _KEEP
    + """
local changed = false
for i, field in ipairs({'profile', 'profile_embedding'}) do
  if (redis.call('HGET', KEYS[1], field) or '') ~= ARGV[i] then
    changed = true
    if ARGV[i] == '' then redis.call('HDEL', KEYS[1], field) else redis.call('HSET', KEYS[1], field, ARGV[i]) end
  end
end
if changed then new_version(KEYS[1]) end
keep(KEYS[1], ARGV[3])
"""
)

# KEYS: user. ARGV: the version that was read ('0': none), packed taste ('': none), milliseconds to live.
# Returns 1, or 0 if another writer has changed the record since it was read.
SET_TASTE = (
    _NEW_VERSION
    + _KEEP
    + """
if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then return 0 end
if (redis.call('HGET', KEYS[1], 'taste') or '') ~= ARGV[2] then
  if ARGV[2] == '' then redis.call('HDEL', KEYS[1], 'taste') else redis.call('HSET', KEYS[1], 'taste', ARGV[2]) end
  new_version(KEYS[1])
end
keep(KEYS[1], ARGV[3])
return 1
"""
)

# KEYS: user. ARGV: version the vector was computed from, its field, packed vector.
# Deletes the vectors of other versions, which are useless, and keeps at most one of another bundle: the newest.
# Returns 1, or 0 if the record is not at that version.
PUT_VECTOR = """
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end
local kept, kept_at
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 7) == 'vector:' and field ~= ARGV[2] then
    local packed, version, at = redis.call('HGET', KEYS[1], field), 0, 0
    if #packed >= 17 then version, at = struct.unpack('<I8I8', packed, 2) end
    if string.format('%.0f', version) == ARGV[1] and (not kept or at > kept_at) then
      if kept then redis.call('HDEL', KEYS[1], kept) end
      kept, kept_at = field, at
    else
      redis.call('HDEL', KEYS[1], field)
    end
  end
end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return 1
"""

# KEYS: event log partition. ARGV: first id (XRANGE), how many entries to look at, user id.
# Returns the packed entries of the user, and the id of the last entry it looked at ('': there was none).
READ_USER_PAGE = """
local found, last = {}, ''
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])) do
  last = entry[1]
  if entry[2][2] == ARGV[3] then found[#found + 1] = entry[2][4] end
end
return {found, last}
"""

# KEYS: event log partition. ARGV: first and last id (XRANGE), how many entries to look at, user id.
# Returns how many entries of the user it removed, not counting tombstones, and the id of the last entry it looked at
# ('': there was none).
ERASE_PAGE = """
local removed, last = 0, ''
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[2], 'COUNT', ARGV[3])) do
  last = entry[1]
  if entry[2][2] == ARGV[4] then
    redis.call('XDEL', KEYS[1], last)
    if string.byte(entry[2][4], 2) ~= 0 then removed = removed + 1 end
  end
end
return {removed, last}
"""


# Each change of the hash of bundles adds 1 to its `number`, so a number that falls tells that Redis went back.
# KEYS: hash of bundles. ARGV: the bundle to activate, the bundle that answers now if none was ever activated.
# Returns the bundle that was active before.
ACTIVATE = """
redis.call('HINCRBY', KEYS[1], 'number', 1)
local active = redis.call('HGET', KEYS[1], 'active') or ARGV[2]
if active == ARGV[1] then
  redis.call('HSET', KEYS[1], 'active', ARGV[1])
  return redis.call('HGET', KEYS[1], 'previous') or ''
end
redis.call('HSET', KEYS[1], 'active', ARGV[1], 'previous', active)
return active
"""

# KEYS: hash of bundles. Returns the bundle that is active now, or '' if there was no previous one.
ROLL_BACK = """
local previous = redis.call('HGET', KEYS[1], 'previous')
if not previous then return '' end
redis.call('HINCRBY', KEYS[1], 'number', 1)
redis.call('HSET', KEYS[1], 'previous', redis.call('HGET', KEYS[1], 'active'), 'active', previous)
return previous
"""

# KEYS: hash of bundles. ARGV: the bundle to keep loaded.
KEEP_LOADED = """
redis.call('HINCRBY', KEYS[1], 'number', 1)
redis.call('HSET', KEYS[1], 'loaded', ARGV[1])
"""

# KEYS: hash of bundles. ARGV: number, active, previous, loaded, as a process knows them. Has no effect if the hash has
# a higher number, or the same one and an active bundle.
RESTORE_BUNDLES = """
local number = tonumber(redis.call('HGET', KEYS[1], 'number') or '0')
if number > tonumber(ARGV[1]) then return end
if number == tonumber(ARGV[1]) and redis.call('HEXISTS', KEYS[1], 'active') == 1 then return end
redis.call('HSET', KEYS[1], 'number', ARGV[1], 'active', ARGV[2], 'previous', ARGV[3], 'loaded', ARGV[4])
"""

# KEYS: hash of processes. ARGV: process id, its state as JSON that lacks the time by this clock and the last brace.
REPORT_PROCESS = """
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. redis.call('TIME')[1] .. '}')
"""

# KEYS: hash of processes. Returns the time by this clock in seconds since 1970, and the fields and values of the hash.
READ_PROCESSES = """
return {redis.call('TIME')[1], redis.call('HGETALL', KEYS[1])}
"""

# The set of switches has one member that is no switch: '{"number": 12}'. Each change adds 1 to it, so a number that
# falls tells that Redis went back.
_NEXT_NUMBER = """
local function next_number(key, least)
  for _, member in ipairs(redis.call('SMEMBERS', key)) do
    local number = string.match(member, '^{"number": (%d+)}$')
    if number then
      redis.call('SREM', key, member)
      least = math.max(least, tonumber(number))
    end
  end
  redis.call('SADD', key, string.format('{"number": %.0f}', least + 1))
end
"""

# KEYS: set of switches. ARGV: SADD or SREM, the switch, how many switches the set may have.
# Returns 1, or 0 if there is no room for one more.
SWITCH = (
    _NEXT_NUMBER
    + """
if ARGV[1] == 'SADD' and redis.call('SISMEMBER', KEYS[1], ARGV[2]) == 0 then
  local switches = 0
  for _, member in ipairs(redis.call('SMEMBERS', KEYS[1])) do
    if string.sub(member, 1, 1) ~= '{' then switches = switches + 1 end
  end
  if switches >= tonumber(ARGV[3]) then return 0 end
end
redis.call(ARGV[1], KEYS[1], ARGV[2])
next_number(KEYS[1], 0)
return 1
"""
)

# KEYS: set of switches. ARGV: the number of the state that a process knows, and the switches that are off in it.
# Adds the switches, unless the set has that number or a higher one.
RESTORE_SWITCHES = (
    _NEXT_NUMBER
    + """
local known = tonumber(ARGV[1])
for _, member in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local number = string.match(member, '^{"number": (%d+)}$')
  if number and tonumber(number) >= known then return end
end
for i = 2, #ARGV do redis.call('SADD', KEYS[1], ARGV[i]) end
next_number(KEYS[1], known)
"""
)

# KEYS: hash of one field, stream of changes. ARGV: item id, name of the field, packed value, whether the stream gets
# the value ('1', or '' for the name alone), the stream's length, a nonce, whether it is restored ('1').
# A set time of 0 stands for now by this clock, and is never older than the value that is held: what is written last
# holds. A set time that is ahead of this clock is taken for now. A value that is restored keeps its time, and replaces
# older ones only.
# Returns the set time, or 0 if the value that is held was set later, or is the same.
SET_ITEM = """
local held = redis.call('HGET', KEYS[1], ARGV[1])
local held_time = 0
if held and #held >= 9 then held_time = struct.unpack('<I8', held, 2) end
local time = struct.unpack('<I8', ARGV[3], 2)
if ARGV[7] == '1' then
  if held and held_time >= time then return 0 end
else
  local clock = redis.call('TIME')
  local now = clock[1] * 1000000 + clock[2]
  if time == 0 then time = math.max(now, held_time + 1) else time = math.min(time, math.max(now, held_time)) end
  if held_time > time then return 0 end
end
local value = string.sub(ARGV[3], 1, 1) .. struct.pack('<I8', time) .. string.sub(ARGV[3], 10)
if held == value then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], value)
if ARGV[4] == '' then value = '' end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'f', ARGV[2], 'i', ARGV[1], 'v', value, 'n', ARGV[6])
return time
"""


async def run(client: RedisClient, script: str, key: str, *arguments: str | bytes | int) -> Any:  # noqa: ANN401  each script has its own
    """Runs a script on one key, and returns its answer."""
    (answer,) = await run_each(client, script, [(key, *arguments)])
    return answer


async def run_each(
    client: RedisClient, script: str, calls: Sequence[tuple[str | bytes | int, ...]], keys: int = 1
) -> list[Any]:
    """Runs a script once for each call, all in one pipeline; see `run_together`.

    Args:
        client: Of Redis.
        script: One of the scripts above.
        calls: The keys and then the arguments of each call.
        keys: How many of them are keys.

    Returns:
        The answer to each call.
    """
    return await run_together(client, [ScriptCall(script, call, keys) for call in calls])


class ScriptCall(NamedTuple):
    """One run of a script.

    Attributes:
        script: One of the scripts above.
        arguments: The keys and then the arguments.
        keys: How many of them are keys.
    """

    script: str
    arguments: tuple[str | bytes | int, ...]
    keys: int = 1


async def run_together(
    client: RedisClient, calls: Sequence[ScriptCall], commands: Iterable[tuple[str | bytes | int, ...]] = ()
) -> list[Any]:
    """Runs scripts, and then ordinary commands, all in one pipeline. Returns the answers.

    A server that does not have a script refuses its digest. Then everything is sent again, with the full scripts.
    Calls that Redis has run already are run twice, so repeating a script or a command must do no harm.
    """
    commands = list(commands)
    try:
        return await _pipeline(
            client, "EVALSHA", [call._replace(script=_digest(call.script)) for call in calls], commands
        )
    except NoScriptError:
        return await _pipeline(client, "EVAL", calls, commands)


@cache
def _digest(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


async def _pipeline(
    client: RedisClient, command: str, calls: Sequence[ScriptCall], commands: Sequence[tuple[str | bytes | int, ...]]
) -> list[Any]:
    pipeline = client.pipeline(transaction=False)
    for call in calls:
        pipeline.execute_command(command, call.script, call.keys, *call.arguments)
    for words in commands:
        pipeline.execute_command(*words)
    return await pipeline.execute()
