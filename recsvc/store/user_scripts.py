"""The Lua scripts of what belongs to one user: the record and its events. See `recsvc.store.scripts`."""

from recsvc.store.scripts import NEXT_VERSION

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

# KEYS: user, its counted events, and its partition of the event log if there are events to log. ARGV: token of the call
# (4 bytes), hashes of the ids of new events (8 bytes each, as one string), milliseconds to keep them, bytes to keep at
# least; the version that was read ('0': none), packed history ('': write none), milliseconds to live; the user's id and
# packed events to log.
# Logs events, claims the new ones, and then writes the history, unless another writer has changed the record since it
# was read. An event is logged first: if Redis refuses that, the script ends, and the event is in no history.
# Returns the new version (0: not written), and for each hash '1' if this call has claimed it, now or before, or '0' if
# another call has. So a call that lost the answer asks again with the same token.
WRITE_EVENTS = (
    NEXT_VERSION
    + """
for i = 9, #ARGV do redis.call('XADD', KEYS[3], '*', 'u', ARGV[8], 'e', ARGV[i]) end
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
  version = next_version(KEYS[1], 'version')
  redis.call('HSET', KEYS[1], 'history', ARGV[6])
  redis.call('PEXPIRE', KEYS[1], ARGV[7])
end
return {version, table.concat(mine)}
"""
)

# KEYS: user. ARGV: packed profile ('': none), packed embedding ('': none), milliseconds to live.
# The same profile again does not change the version.
SET_PROFILE = (
    NEXT_VERSION
    + _KEEP
    + """
local changed = false
for i, field in ipairs({'profile', 'profile_embedding'}) do
  if (redis.call('HGET', KEYS[1], field) or '') ~= ARGV[i] then
    changed = true
    if ARGV[i] == '' then redis.call('HDEL', KEYS[1], field) else redis.call('HSET', KEYS[1], field, ARGV[i]) end
  end
end
if changed then next_version(KEYS[1], 'version') end
keep(KEYS[1], ARGV[3])
"""
)

# KEYS: user. ARGV: the version that was read ('0': none), packed taste ('': none), milliseconds to live.
# Returns 1, or 0 if another writer has changed the record since it was read.
SET_TASTE = (
    NEXT_VERSION
    + _KEEP
    + """
if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then return 0 end
if (redis.call('HGET', KEYS[1], 'taste') or '') ~= ARGV[2] then
  if ARGV[2] == '' then redis.call('HDEL', KEYS[1], 'taste') else redis.call('HSET', KEYS[1], 'taste', ARGV[2]) end
  next_version(KEYS[1], 'version')
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
