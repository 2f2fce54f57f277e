"""The Lua scripts of what belongs to the shop: items, bundles, processes, switches. See `recsvc.store.scripts`."""

from recsvc.store.scripts import NEXT_VERSION

# Each change of the hash of bundles is a version, its `number`. A number that falls tells that Redis went back, and
# what is said after a loss has a higher number than what any process knows.

# KEYS: hash of bundles. ARGV: the bundle to activate, the bundle that answers now if none was ever activated.
# Returns the bundle that was active before.
ACTIVATE = (
    NEXT_VERSION
    + """
next_version(KEYS[1], 'number')
local active = redis.call('HGET', KEYS[1], 'active') or ARGV[2]
if active == ARGV[1] then
  redis.call('HSET', KEYS[1], 'active', ARGV[1])
  return redis.call('HGET', KEYS[1], 'previous') or ''
end
redis.call('HSET', KEYS[1], 'active', ARGV[1], 'previous', active)
return active
"""
)

# KEYS: hash of bundles. Returns the bundle that is active now, or '' if there was no previous one.
ROLL_BACK = (
    NEXT_VERSION
    + """
local previous = redis.call('HGET', KEYS[1], 'previous')
if not previous then return '' end
next_version(KEYS[1], 'number')
redis.call('HSET', KEYS[1], 'previous', redis.call('HGET', KEYS[1], 'active'), 'active', previous)
return previous
"""
)

# KEYS: hash of bundles. ARGV: the bundle to keep loaded.
KEEP_LOADED = (
    NEXT_VERSION
    + """
next_version(KEYS[1], 'number')
redis.call('HSET', KEYS[1], 'loaded', ARGV[1])
"""
)

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
# falls tells that Redis went back. A time would hide what another process has yet to write back.
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
