import { createHash } from 'node:crypto';

/**
 * Takes amounts under keys, atomically and in their order, and counts as memory.ts does: a change of one is a change of the other, and a
 * test compares them.
 *
 * KEYS     the counters, hashes: all takes of one turn
 * ARGV     now in ms ('' asks the clock of Redis); then a line for each key, five words: way of counting, amount, and what the way needs; an
 *          empty one says the same as the line before (one text, since each argument costs the gateway more than its words cost Redis):
 *          window   ms from now to its end, the longest that may be
 *          sliding  length in ms                                       gcra     burst, refill, refill ms
 * Answers  count and reset of each, one after another, in one text: it is read in a tenth of the time of a list.
 *
 * A key expires by a length of time, not at a time of somebody's clock, and so late that a clock that is set back a little finds it.
 */
export const takeScript = `
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local setBackMax = 60000
local function text(number) return string.format('%.0f', number) end
local function keep(key, forMs, ...)
  redis.call('HSET', key, ...)
  redis.call('PEXPIRE', key, text(math.ceil(forMs) + setBackMax))
end

local function window(key, amount, length, longest)
  local held = redis.call('HMGET', key, 'count', 'reset')
  local count, reset = tonumber(held[1]), tonumber(held[2])
  if not count or now >= reset or reset - now > longest + setBackMax then count, reset = 0, now + length end
  count = count + amount
  if amount > 0 then keep(key, reset - now, 'count', text(count), 'reset', text(reset)) end
  return count, reset
end

local function sliding(key, amount, window)
  local held = redis.call('HMGET', key, 'start', 'before', 'current')
  local isHeld, start, before, current = true, tonumber(held[1]), tonumber(held[2]), tonumber(held[3])
  if not start or now - start >= 2 * window or start - now > setBackMax then
    isHeld, start, before, current = false, now - now % window, 0, 0
  elseif now - start >= window then
    start, before, current = start + window, current, 0
  end
  current = current + amount
  local left = window - math.max(0, now - start)
  if amount > 0 or isHeld then
    keep(key, 2 * window, 'start', text(start), 'before', text(before), 'current', text(current))
  end
  return math.floor(before * left / window) + current, start + (current > 0 and 2 or 1) * window
end

local function gcra(key, amount, burst, refill, refillMs)
  local held = redis.call('HMGET', key, 'debt', 'at')
  local isHeld, debt, at = true, tonumber(held[1]), tonumber(held[2])
  if not debt or at - now > setBackMax or now - at >= burst * refillMs / refill then
    isHeld, debt, at = false, 0, now
  end
  debt = math.max(0, debt - math.max(0, now - at) * refill)
  at = math.max(at, now)
  local wanted = debt + amount * refillMs
  if wanted <= burst * refillMs then debt = wanted end
  if amount > 0 or isHeld then keep(key, burst * refillMs / refill, 'debt', text(debt), 'at', text(at)) end
  return math.ceil(wanted / refillMs), at + math.ceil(debt / refill)
end

local ways = { window = window, sliding = sliding, gcra = gcra }
local answers = {}
local n, way, amount, a1, a2, a3 = 0
for line in string.gmatch(ARGV[2], '([^\\n]*)\\n') do
  n = n + 1
  if line ~= '' then
    way, amount, a1, a2, a3 = string.match(line, '^(%a+) (%S+) (%S+) (%S+) (%S+)$')
    amount, a1, a2, a3 = tonumber(amount), tonumber(a1), tonumber(a2), tonumber(a3)
  end
  local count, reset = ways[way](KEYS[n], amount, a1, a2, a3)
  answers[n * 2 - 1], answers[n * 2] = text(count), text(reset)
end
return table.concat(answers, ' ')
`;

/** By which Redis calls it. */
export const takeScriptSha: string = createHash('sha1').update(takeScript).digest('hex');
