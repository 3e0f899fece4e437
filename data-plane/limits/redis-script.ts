/**
 * Takes an amount under one key, atomically, and counts as memory.ts does: a change of one is a change of the other, and a test compares
 * them.
 *
 * KEYS[1]  the counter: a hash
 * ARGV     way of counting, now in ms ('' asks the clock of Redis), amount, then what the way needs:
 *          window   ms from now to its end, the longest that may be
 *          sliding  length in ms                                       gcra     burst, refill, refill ms
 * Answers  {count, reset}: whole numbers as text, since Redis cuts numbers to 64-bit integers and reset is ms since the epoch.
 *
 * A key expires by a length of time, not at a time of somebody's clock, and so late that a clock that is set back a little finds it.
 */
export const takeScript = `
local way, amount = ARGV[1], tonumber(ARGV[3])
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local setBackMax = 60000
local a1, a2, a3 = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local function text(number) return string.format('%.0f', number) end
local function keep(forMs, ...)
  redis.call('HSET', KEYS[1], ...)
  redis.call('PEXPIRE', KEYS[1], text(math.ceil(forMs) + setBackMax))
end

if way == 'window' then
  local held = redis.call('HMGET', KEYS[1], 'count', 'reset')
  local count, reset = tonumber(held[1]), tonumber(held[2])
  local length, longest = a1, a2
  if not count or now >= reset or reset - now > longest + setBackMax then count, reset = 0, now + length end
  count = count + amount
  if amount > 0 then keep(reset - now, 'count', text(count), 'reset', text(reset)) end
  return { text(count), text(reset) }
end

if way == 'sliding' then
  local window = a1
  local held = redis.call('HMGET', KEYS[1], 'start', 'before', 'current')
  local isHeld, start, before, current = true, tonumber(held[1]), tonumber(held[2]), tonumber(held[3])
  if not start or now - start >= 2 * window or start - now > setBackMax then
    isHeld, start, before, current = false, now - now % window, 0, 0
  elseif now - start >= window then
    start, before, current = start + window, current, 0
  end
  current = current + amount
  local left = window - math.max(0, now - start)
  local count = math.floor(before * left / window) + current
  local reset = start + (current > 0 and 2 or 1) * window
  if amount > 0 or isHeld then
    keep(2 * window, 'start', text(start), 'before', text(before), 'current', text(current))
  end
  return { text(count), text(reset) }
end

local burst, refill, refillMs = a1, a2, a3
local held = redis.call('HMGET', KEYS[1], 'debt', 'at')
local isHeld, debt, at = true, tonumber(held[1]), tonumber(held[2])
if not debt or at - now > setBackMax or now - at >= burst * refillMs / refill then
  isHeld, debt, at = false, 0, now
end
debt = math.max(0, debt - math.max(0, now - at) * refill)
at = math.max(at, now)
local wanted = debt + amount * refillMs
if wanted <= burst * refillMs then debt = wanted end
if amount > 0 or isHeld then keep(burst * refillMs / refill, 'debt', text(debt), 'at', text(at)) end
return { text(math.ceil(wanted / refillMs)), text(at + math.ceil(debt / refill)) }
`;
