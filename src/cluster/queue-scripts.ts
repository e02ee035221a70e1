import { Script } from './script.js'

// A queue is a stream with one consumer group, whose consumers are sessions. A message keeps its
// entry of the stream until it is finished, so the stream's length is what takes room. Whoever has
// received a message has it among the pending entries of its session.
//
// The line of a queue are the gets that wait: `session number most mode`, mode t to take messages
// for good, k to keep them until they are finished. The puts that wait for room stand in a list
// with their messages, so that the server moves a message in whoever makes the room.
//
// What a session that dies leaves: entries that are pending for it, found by the sweep, which
// either hands them on (the list `again`) or drops them; places in lists, which are skipped.

/** The parts of the key of a queue. */
export const QUEUE_PARTS = ['stream', 'line', 'puts', 'putting', 'again', 'joining']

/** The most bytes of messages that are told together with their delivery. */
const INLINE = 16_384

export const QUEUES = `
local STREAM, LINE, PUTS = K .. ':stream', K .. ':line', K .. ':puts'
local PUTTING, AGAIN, JOINING = K .. ':putting', K .. ':again', K .. ':joining'
local state = redis.call('HMGET', K, 'kind', 'capacity', 'ended', 'redeliver')
if not state[1] then error({ err = 'GONE' }) end
if state[1] ~= ARGV[3] then error({ err = 'KIND ' .. state[1] .. ' ' .. ARGV[3] }) end
local capacity, ended, redeliver = tonumber(state[2]), state[3], state[4] == '1'

local function remove(id)
  redis.call('XACK', STREAM, 'readers', id)
  redis.call('XDEL', STREAM, id)
end
local function remove_all(taken)
  for i = 1, #taken, 3 do
    if taken[i + 2] == '1' then redis.call('XACK', STREAM, 'readers', taken[i]) end
    redis.call('XDEL', STREAM, taken[i])
  end
end
local function joined()
  if redis.call('EXISTS', JOINING) == 1 and redis.call('XLEN', STREAM) == 0 then tell_all(JOINING, 'joined') end
end

-- Takes up to so many messages for a session: { id, payload, redelivered, ... }. They are pending
-- then, but new ones aren't if they are taken for good at once.
local function take(session, most, for_good)
  local taken = {}
  local ids = redeliver and redis.call('LPOP', AGAIN, math.min(most, 1000))
  if ids then
    for _, entry in ipairs(redis.call('XCLAIM', STREAM, 'readers', session, 0, unpack(ids))) do
      taken[#taken + 1] = entry[1]
      taken[#taken + 1] = entry[2][2]
      taken[#taken + 1] = '1'
    end
  end
  local left = most - #taken / 3
  if left > 0 then
    local found = for_good
      and redis.call('XREADGROUP', 'GROUP', 'readers', session, 'COUNT', left, 'NOACK', 'STREAMS', STREAM, '>')
      or not for_good
      and redis.call('XREADGROUP', 'GROUP', 'readers', session, 'COUNT', left, 'STREAMS', STREAM, '>')
    if found then
      for _, entry in ipairs(found[1][2]) do
        taken[#taken + 1] = entry[1]
        taken[#taken + 1] = entry[2][2]
        taken[#taken + 1] = '0'
      end
    end
  end
  return taken
end

-- Gives messages to gets that wait. Returns whether that has made room.
local function deliver()
  local has_room = false
  while true do
    local first = redis.call('LINDEX', LINE, 0)
    if not first then return has_room end
    local waiter, most, mode = string.match(first, '^(%S+ %d+) (%d+) (%a)$')
    if not alive(session_of(waiter)) then
      redis.call('LPOP', LINE)
    else
      local taken = take(session_of(waiter), tonumber(most))
      if #taken == 0 then return has_room end
      redis.call('LPOP', LINE)
      local bytes = 0
      for i = 2, #taken, 3 do bytes = bytes + #taken[i] end
      local head, body = {}, {}
      for i = 1, #taken, 3 do
        head[#head + 1] = taken[i] .. ' ' .. #taken[i + 1] .. ' ' .. taken[i + 2]
        body[#body + 1] = taken[i + 1]
      end
      if bytes > ${INLINE} then
        -- Too much for a channel: they stay pending until they are fetched.
        tell(waiter, 'fetch ' .. table.concat(head, ' '))
      else
        if mode == 't' then
          for i = 1, #taken, 3 do remove(taken[i]) end
          has_room = true
        end
        tell(waiter, 'messages ' .. table.concat(head, ' ') .. '\\n' .. table.concat(body))
      end
    end
  end
end

-- Moves messages that wait for room into the stream.
local function admit()
  if redis.call('EXISTS', PUTS) == 0 then return end
  local room = capacity - redis.call('XLEN', STREAM)
  while room > 0 do
    local waiting = redis.call('LPOP', PUTS)
    if not waiting then return end
    local place = string.find(waiting, '\\n', 1, true)
    local putter = string.sub(waiting, 1, place - 1)
    if redis.call('HEXISTS', PUTTING, putter) == 1 then
      if alive(session_of(putter)) then
        redis.call('XADD', STREAM, '*', 'v', string.sub(waiting, place + 1))
        room = room - 1
        if redis.call('HINCRBY', PUTTING, putter, -1) == 0 then
          redis.call('HDEL', PUTTING, putter)
          tell(putter, 'put')
        end
      else
        redis.call('HDEL', PUTTING, putter)
      end
    end
  end
end

local function settle()
  repeat admit() until not deliver()
  if state[1] == 'JoinableQueue' then joined() end
end

-- What a reader left unfinished goes to the next one, or has failed.
local function hand_on(id)
  if redeliver then
    redis.call('XCLAIM', STREAM, 'readers', '-', 0, id, 'JUSTID')
    redis.call('RPUSH', AGAIN, id)
  else
    remove(id)
    redis.call('HINCRBY', K, 'failed', 1)
  end
end

-- Finds what dead sessions have left pending.
local function sweep()
  for _, reader in ipairs(redis.call('XINFO', 'CONSUMERS', STREAM, 'readers')) do
    local session = reader[2]
    -- The reader "-" has what is to be delivered again.
    if session ~= '-' and not alive(session) then
      while true do
        local left = redis.call('XPENDING', STREAM, 'readers', '-', '+', 100, session)
        if #left == 0 then break end
        for _, entry in ipairs(left) do hand_on(entry[1]) end
      end
      redis.call('XGROUP', 'DELCONSUMER', STREAM, 'readers', session)
    end
  end
end
`

/** Makes the queue if it isn't there. Returns what it was made with. */
export const attachScript = new Script(
  'takes memory',
  `
if be(ARGV[3]) then redis.call('HSET', K, 'capacity', ARGV[4], 'redeliver', ARGV[5], 'codec', ARGV[6]) end
local made = redis.pcall('XGROUP', 'CREATE', K .. ':stream', 'readers', '0', 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then error(made) end
return redis.call('HMGET', K, 'capacity', 'redeliver', 'codec')`,
)

/** ARGV: kind, number, whether it may wait, messages. Returns how many are in, or that it ended. */
export const putScript = new Script(
  'takes memory',
  `${QUEUES}
if ended then return 'ended' end
local room = 0
if redis.call('EXISTS', PUTS) == 0 then room = capacity - redis.call('XLEN', STREAM) end
local count = #ARGV - 5
local put = math.max(0, math.min(room, count))
for i = 6, 5 + put do redis.call('XADD', STREAM, '*', 'v', ARGV[i]) end
if put < count and ARGV[5] == '1' then
  refuse_dead()
  local putter = SESSION .. ' ' .. ARGV[4]
  redis.call('HSET', PUTTING, putter, count - put)
  for i = 6 + put, #ARGV do redis.call('RPUSH', PUTS, putter .. '\\n' .. ARGV[i]) end
end
if put > 0 and deliver() then settle() end
return put`,
  // Nobody waits, and there is room for all.
  `
local queue = redis.call('HMGET', K, 'kind', 'capacity', 'ended')
if queue[1] == ARGV[3] and not queue[3] and redis.call('EXISTS', K .. ':puts', K .. ':line') == 0 then
  local stream = K .. ':stream'
  if queue[2] - redis.call('XLEN', stream) >= #ARGV - 5 then
    for i = 6, #ARGV do redis.call('XADD', stream, '*', 'v', ARGV[i]) end
    return #ARGV - 5
  end
end`,
)

/** Whether the put still waited: if not, it was told that all is in. */
export const cancelPutScript = new Script(
  'makes room',
  `${QUEUES}
local left = redis.call('HDEL', PUTTING, SESSION .. ' ' .. ARGV[4])
-- Those behind it may fit.
settle()
return left`,
)

/** ARGV: kind, number, whether it may wait, how many at the most, mode. */
export const getScript = new Script(
  'makes room',
  `${QUEUES}
if ARGV[7] == 'k' then refuse_dead() end
local taken = {}
-- A queue that is never empty must hand on what the dead have left, too: once a second.
if redeliver then
  local second = redis.call('TIME')[1]
  if redis.call('HGET', K, 'swept') ~= second then
    redis.call('HSET', K, 'swept', second)
    sweep()
  end
end
local function try()
  if redis.call('EXISTS', LINE) == 0 then taken = take(SESSION, tonumber(ARGV[6]), ARGV[7] == 't') end
end
try()
if #taken == 0 then
  sweep()
  settle()
  try()
end
if #taken > 0 then
  if ARGV[7] == 't' then
    remove_all(taken)
    settle()
  end
  return taken
end
if ended then return 'ended' end
if ARGV[5] == '1' then
  refuse_dead()
  redis.call('RPUSH', LINE, SESSION .. ' ' .. ARGV[4] .. ' ' .. ARGV[6] .. ' ' .. ARGV[7])
end
return false`,
  // Nobody waits, nothing is to be delivered again, and there is a message.
  `
if ARGV[7] == 't' then
  local queue = redis.call('HMGET', K, 'kind', 'redeliver')
  if queue[1] == 'Queue' and queue[1] == ARGV[3] and queue[2] == '0'
    and redis.call('EXISTS', K .. ':puts', K .. ':line') == 0 then
    local stream = K .. ':stream'
    local found =
      redis.call('XREADGROUP', 'GROUP', 'readers', SESSION, 'COUNT', ARGV[6], 'NOACK', 'STREAMS', stream, '>')
    if found then
      local taken = {}
      for i, entry in ipairs(found[1][2]) do
        taken[3 * i - 2] = entry[1]
        taken[3 * i - 1] = entry[2][2]
        taken[3 * i] = '0'
        redis.call('XDEL', stream, entry[1])
      end
      return taken
    end
  end
end`,
)

/** Whether the get still waited: if not, messages are on their way to it. */
export const cancelGetScript = new Script(
  'makes room',
  `${QUEUES}
return redis.call('LREM', LINE, 1, SESSION .. ' ' .. ARGV[4] .. ' ' .. ARGV[5] .. ' ' .. ARGV[6])`,
)

/** Messages that were too large for a channel. ARGV: kind, mode, ids. */
export const fetchScript = new Script(
  'makes room',
  `${QUEUES}
local taken = {}
for i = 5, #ARGV do
  local entry = redis.call('XRANGE', STREAM, ARGV[i], ARGV[i])[1]
  if entry and #redis.call('XPENDING', STREAM, 'readers', ARGV[i], ARGV[i], 1, SESSION) == 1 then
    taken[#taken + 1] = entry[2][2]
  else
    taken[#taken + 1] = false
  end
  if ARGV[4] == 't' and taken[#taken] then remove(ARGV[i]) end
end
if ARGV[4] == 't' then settle() end
return taken`,
)

/** Finishes a message. Returns 0 if someone else has it by now. */
export const finishScript = new Script(
  'makes room',
  `${QUEUES}
if #redis.call('XPENDING', STREAM, 'readers', ARGV[4], ARGV[4], 1, SESSION) == 0 then return 0 end
remove(ARGV[4])
settle()
return 1`,
)

/** Leaves messages behind, as a death does. */
export const abandonScript = new Script(
  'makes room',
  `${QUEUES}
for i = 4, #ARGV do
  if #redis.call('XPENDING', STREAM, 'readers', ARGV[i], ARGV[i], 1, SESSION) == 1 then hand_on(ARGV[i]) end
end
settle()`,
)

export const endScript = new Script(
  'makes room',
  `${QUEUES}
redis.call('HSET', K, 'ended', '1')
for _, putter in ipairs(redis.call('HKEYS', PUTTING)) do tell(putter, 'ended') end
redis.call('DEL', PUTS, PUTTING)
tell_all(LINE, 'ended')`,
)

/** How many are in, wait to be got, and have failed; whether it has ended. */
export const stateScript = new Script(
  'makes room',
  `${QUEUES}
sweep()
settle()
local pending = redis.call('XPENDING', STREAM, 'readers')[1] - redis.call('LLEN', AGAIN)
local all = redis.call('XLEN', STREAM)
return { all, all - pending, tonumber(redis.call('HGET', K, 'failed') or 0), ended and 1 or 0 }`,
)

/** ARGV: kind, number, whether it may wait. */
export const joinScript = new Script(
  'makes room',
  `${QUEUES}
sweep()
settle()
if redis.call('XLEN', STREAM) == 0 then return 'joined' end
if ARGV[5] == '1' then
  refuse_dead()
  redis.call('RPUSH', JOINING, SESSION .. ' ' .. ARGV[4])
end
return false`,
)

export const cancelJoinScript = new Script(
  'makes room',
  `${QUEUES} return redis.call('LREM', JOINING, 1, SESSION .. ' ' .. ARGV[4])`,
)

export const lookScript = new Script('makes room', `${QUEUES} sweep() settle()`)
