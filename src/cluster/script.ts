import { createHash } from 'node:crypto'
import type { Argument, Link } from './link.js'
import { isUnknownScript } from './server-errors.js'

// Each call of an object is one script, so the server carries it out as one step. Its first
// arguments are the prefix of all keys and the session that calls; its key is the object's: a hash
// with its kind, parameters and state. The keys of the object's parts begin with it, and have its
// hash tag.

/** What all scripts know. A waiter is `session number`; news of it go to the session's channel. */
const HEAD = `
local PREFIX, SESSION, K = ARGV[1], ARGV[2], KEYS[1]
`

const PRELUDE = `
local lives = {}
local function alive(session)
  if lives[session] == nil then
    lives[session] = redis.call('EXISTS', PREFIX .. ':lease:' .. session) == 1
      and redis.call('PUBSUB', 'NUMSUB', PREFIX .. ':session:' .. session)[2] > 0
  end
  return lives[session]
end
local function session_of(waiter) return string.match(waiter, '^%S+') end
local function refuse_dead()
  if not alive(SESSION) then error({ err = 'EXPIRED the lease has run out' }) end
end
local function tell(waiter, news)
  local session, number = string.match(waiter, '^(%S+) (%d+)')
  redis.call('PUBLISH', PREFIX .. ':session:' .. session, number .. ' ' .. news)
end
local function tell_all(list, news)
  for _, waiter in ipairs(redis.call('LRANGE', list, 0, -1)) do tell(waiter, news) end
  redis.call('DEL', list)
end
local function be(kind)
  local found = redis.call('HGET', K, 'kind')
  if not found then redis.call('HSET', K, 'kind', kind)
  elseif found ~= kind then error({ err = 'KIND ' .. found .. ' ' .. kind }) end
  return not found
end
local function microseconds()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
`

/** Whether the server may refuse a script when its memory is full. What makes room must run. */
export type Memory = 'takes memory' | 'makes room'

/** A program that the server runs as one step. */
export class Script {
  readonly #text: string
  readonly #sha: string

  /**
   * @param first runs before the functions of all scripts are made, which takes the longest, and
   *   may return; for calls that find what they want at once
   */
  constructor(memory: Memory, text: string, first = '') {
    const flags = memory === 'makes room' ? ' flags=allow-oom' : ''
    this.#text = `#!lua${flags}\n${HEAD}${first}${PRELUDE}${text}`
    this.#sha = createHash('sha1').update(this.#text).digest('hex')
  }

  /**
   * Runs it by its hash; a server that doesn't know the hash has run nothing, and gets the text.
   */
  async run(link: Link, key: string, args: readonly Argument[]): Promise<unknown> {
    const rest = ['1', key, ...args]
    try {
      return await link.send(['EVALSHA', this.#sha, ...rest])
    } catch (error) {
      if (!isUnknownScript(error)) throw error
      return link.send(['EVAL', this.#text, ...rest])
    }
  }
}
