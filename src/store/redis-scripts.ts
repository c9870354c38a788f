/** What Redis does in one step. */
import type { Redis } from 'ioredis';

/**
 * Writes only when every key still has the value that was decided upon, and it is not too late: a server that was stopped does not write
 * afterwards what its client has given up.
 */
const COMMIT = `
local expects, puts, removes, adds, drops = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local counts = tonumber(ARGV[7])
local rising, to = ARGV[8], tonumber(ARGV[9])
local time = redis.call('TIME')
if time[1] * 1000 + time[2] / 1000 > tonumber(ARGV[6]) then return -1 end
local key, arg = 0, 9
local firstCount, firstBy = #KEYS - counts, #ARGV - counts * 2
if expects > 0 then
  local found = redis.call('MGET', unpack(KEYS, 1, expects))
  for i = 1, expects do
    if (found[i] or '') ~= ARGV[arg + i] then return 0 end
  end
end
if to then
  local found = redis.call('GET', rising)
  if found and cjson.decode(found).last >= to then return 0 end
end
for i = 1, counts do
  local by, most = tonumber(ARGV[firstBy + i * 2 - 1]), tonumber(ARGV[firstBy + i * 2])
  if by > 0 and most and tonumber(redis.call('GET', KEYS[firstCount + i]) or 0) + by > most then return -2 end
end
for i = 1, counts do redis.call('INCRBY', KEYS[firstCount + i], ARGV[firstBy + i * 2 - 1]) end
key, arg = expects, arg + expects
local most = 1000
local function inSlices(command, first, words)
  for from = 1, #words, most * 2 do
    local slice = { unpack(words, from, math.min(from + most * 2 - 1, #words)) }
    if first then table.insert(slice, 1, first) end
    redis.call(command, unpack(slice))
  end
end
local pairs_ = {}
for i = 1, puts do
  pairs_[#pairs_ + 1] = KEYS[key + i]
  pairs_[#pairs_ + 1] = ARGV[arg + i]
end
inSlices('MSET', nil, pairs_)
key, arg = key + puts, arg + puts
local gone = {}
for i = 1, removes do gone[i] = KEYS[key + i] end
inSlices('DEL', nil, gone)
key = key + removes
local function byIndex(count, command, score)
  local names, members = {}, {}
  for i = 1, count do
    local name = KEYS[key + i]
    if not members[name] then
      members[name] = {}
      names[#names + 1] = name
    end
    if score then table.insert(members[name], score) end
    table.insert(members[name], ARGV[arg + i])
  end
  for _, name in ipairs(names) do inSlices(command, name, members[name]) end
  key, arg = key + count, arg + count
end
byIndex(adds, 'ZADD', 0)
byIndex(drops, 'ZREM', nil)
return 1
`;

const HOLD = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`;
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`;
const NOTIFY_HOLDER = `
local holder = redis.call('GET', KEYS[1])
if holder then redis.call('PUBLISH', ARGV[1] .. holder, ARGV[2]) end
`;

/** Answers of `commit`; 0 is a refusal. */
export const DONE = 1;
export const TOO_LATE = -1;
export const FULL = -2;

type Script = (keyCount: number, ...rest: (string | number)[]) => Promise<number>;
export type Scripts = { readonly [Name in 'commit' | 'hold' | 'release' | 'notifyHolder']: Script };

export const defineScripts = (redis: Redis): Scripts => {
  for (const [name, lua] of Object.entries({ commit: COMMIT, hold: HOLD, release: RELEASE, notifyHolder: NOTIFY_HOLDER }))
    redis.defineCommand(name, { lua });
  return redis as unknown as Scripts;
};
