import { CrossmemError } from '../errors.js'
import { checkCount, checkFunction, checkOptions, type OptionNames } from '../util/index.js'
import { type Home, RemoteObject } from './remote-object.js'
import { Script } from './script.js'
import type { News, Session } from './session.js'
import { type Ask, type RemoteWaitOptions, TOO_LATE } from './waiting.js'

/** How a barrier is used. */
export interface RemoteBarrierOptions {
  /**
   * Called by the last party to arrive, before all go on, if that party waits through this handle.
   * If it throws, the barrier breaks. It may be asynchronous.
   */
  action?: () => unknown
}

const BARRIER_OPTIONS: OptionNames<RemoteBarrierOptions> = { action: true }

// The line has those that wait; the group, once all have come, those that wait for their leader's
// action to end. A leader that dies leaves its group there, and whoever looks next breaks the
// barrier.
const BARRIERS = `
local LINE, GROUP = K .. ':line', K .. ':group'
if be('Barrier') then redis.call('HSET', K, 'parties', ARGV[3])
elseif redis.call('HGET', K, 'parties') ~= ARGV[3] then return 'parties ' .. redis.call('HGET', K, 'parties') end
local parties = tonumber(ARGV[3])
local function break_up(mark)
  if mark then redis.call('HSET', K, 'broken', '1') else redis.call('HDEL', K, 'broken') end
  redis.call('HDEL', K, 'leader')
  tell_all(LINE, 'broken')
  tell_all(GROUP, 'broken')
end
local function look()
  for _, list in ipairs({ LINE, GROUP }) do
    for _, waiter in ipairs(redis.call('LRANGE', list, 0, -1)) do
      if not alive(session_of(waiter)) then return break_up(true) end
    end
  end
end
local function go()
  for i, waiter in ipairs(redis.call('LRANGE', GROUP, 0, -1)) do tell(waiter, 'met ' .. (i - 1)) end
  redis.call('DEL', GROUP)
  redis.call('HDEL', K, 'leader')
end
local function meet()
  while not redis.call('HGET', K, 'leader') and redis.call('LLEN', LINE) >= parties do
    for i = 1, parties do redis.call('LMOVE', LINE, GROUP, 'LEFT', 'RIGHT') end
    local last = redis.call('LINDEX', GROUP, -1)
    if string.sub(last, -1) == 'a' then
      redis.call('HSET', K, 'leader', last)
      tell(last, 'leads ' .. (parties - 1))
    else
      go()
    end
  end
end
`

const arriveScript = new Script(
  'takes memory',
  `${BARRIERS}
refuse_dead()
look()
if redis.call('HGET', K, 'broken') then return 'broken' end
local count = redis.call('LLEN', LINE)
if ARGV[5] == '0' and count + 1 < parties then
  break_up(true)
  return 'late'
end
redis.call('RPUSH', LINE, SESSION .. ' ' .. ARGV[4] .. ' ' .. ARGV[6])
meet()
return false`,
)

/** A party that leaves breaks the barrier, unless all have come already. */
const leaveScript = new Script(
  'makes room',
  `${BARRIERS}
local me = SESSION .. ' ' .. ARGV[4]
for _, kind in ipairs({ 'a', 'n' }) do
  if redis.call('LPOS', LINE, me .. ' ' .. kind) then break_up(true) return 1 end
end
return 0`,
)

const completeScript = new Script(
  'makes room',
  `${BARRIERS}
if redis.call('HGET', K, 'leader') ~= SESSION .. ' ' .. ARGV[4] .. ' a' then return 'broken' end
if ARGV[5] == 'failed' then break_up(true) return 'failed' end
go()
meet()
return 'met'`,
)

const lookScript = new Script('makes room', `${BARRIERS} look()`)
const breakScript = new Script('makes room', `${BARRIERS} break_up(ARGV[4] == 'abort')`)
const stateScript = new Script(
  'makes room',
  `${BARRIERS}
look()
return { redis.call('LLEN', LINE), redis.call('HEXISTS', K, 'broken') }`,
)

/**
 * A meeting point at a server for a number of parties, each of which waits until all have come. If
 * a waiting party's connection ends, or it times out or is aborted, the barrier breaks: every party
 * that waits, and every party that comes later, gets ERR_BROKEN_BARRIER until `reset()`.
 */
export class RemoteBarrier extends RemoteObject {
  /** How many parties meet. */
  readonly parties: number
  readonly #action: (() => unknown) | undefined
  /** The parties of this handle whose action runs. */
  readonly #leading = new Set<string>()

  /** @internal */
  constructor(home: Home, name: string, parties: number, options?: RemoteBarrierOptions) {
    checkCount('parties', parties, 1, 100_000)
    const { action } = checkOptions(options, BARRIER_OPTIONS)
    if (action !== undefined) checkFunction('action', action)
    super(home, name, ['line', 'group'])
    this.parties = parties
    this.#action = action
  }

  /**
   * Waits until all parties have come.
   *
   * @returns how many parties came before: 0 to `parties - 1`, each number once
   * @throws {CrossmemError} ERR_BROKEN_BARRIER: the barrier is broken, or breaks. ERR_TIMEOUT:
   *   `timeout` ms have passed, which breaks the barrier. ERR_INVALID_ARG: an option is refused, or
   *   the barrier exists for another number of parties. ERR_CLOSED: the handle is closed.
   *   ERR_NOT_FOUND: the object was unlinked during the wait. ERR_DISCONNECTED: the connection was
   *   lost, which breaks the barrier. ERR_WRONG_KIND, ERR_NO_SPACE, ERR_READ_ONLY, ERR_PERMISSION,
   *   ERR_SERVER
   * @throws the signal's reason, if `signal` is aborted: during the wait, which breaks the barrier,
   *   or before it, which doesn't
   * @throws what the action throws
   */
  async wait(options?: RemoteWaitOptions): Promise<number> {
    return this.askAndWait(this.#ask, options)
  }

  /**
   * Breaks the barrier: every party that waits or comes gets ERR_BROKEN_BARRIER, until `reset()`.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_DISCONNECTED, ERR_READ_ONLY, ERR_PERMISSION, ERR_SERVER
   */
  async abort(): Promise<void> {
    this.#check(await this.call(breakScript, String(this.parties), 'abort'))
  }

  /**
   * Makes the barrier as new. Every party that waits gets ERR_BROKEN_BARRIER.
   *
   * @throws {CrossmemError} as `abort`
   */
  async reset(): Promise<void> {
    this.#check(await this.call(breakScript, String(this.parties), 'reset'))
  }

  /**
   * How many parties wait at this instant: 0 if the barrier is broken.
   *
   * @throws {CrossmemError} as `abort`
   */
  get waiting(): Promise<number> {
    return this.#state().then(([waiting]) => waiting)
  }

  /**
   * Whether the barrier is broken at this instant, as it is once a party that waits has died.
   *
   * @throws {CrossmemError} as `abort`
   */
  get isBroken(): Promise<boolean> {
    return this.#state().then(([, broken]) => broken === 1)
  }

  async #state(): Promise<[waiting: number, broken: number]> {
    const state = await this.call(stateScript, String(this.parties))
    if (!Array.isArray(state)) this.#check(state)
    return state as [number, number]
  }

  get #ask(): Ask<number> {
    const parties = String(this.parties)
    return {
      doing: `waiting at "${this.name}"`,
      key: this.key,
      repeats: false,
      isAlwaysTold: true,
      begin: async (session, number, mayWait) => {
        const args = [parties, String(number), mayWait ? '1' : '0', this.#action ? 'a' : 'n']
        this.#check(await this.run(session, arriveScript, args))
        return undefined
      },
      hear: (news, session, number) => this.#hear(news, session, number),
      cancel: async (session, number) =>
        (await this.run(session, leaveScript, [parties, String(number)])) === 1 ? undefined : TOO_LATE,
      look: session => this.run(session, lookScript, [parties]),
    }
  }

  async #hear({ words: [word, index] }: News, session: Session, number: number): Promise<number | undefined> {
    if (word === 'gone') throw this.gone()
    const party = `${session.id} ${number}`
    if (word === 'broken') {
      // A leader learns it at the end of its action.
      if (this.#leading.has(party)) return undefined
      throw broken(this.name)
    }
    if (word === 'met') return Number(index)
    // It leads: the others wait for its action. That they have met is the next news.
    this.#leading.add(party)
    try {
      const complete = (how: 'done' | 'failed') =>
        this.run(session, completeScript, [String(this.parties), String(number), how])
      try {
        await this.#action?.()
      } catch (error) {
        await complete('failed')
        throw error
      }
      if (String(await complete('done')) === 'broken') throw broken(this.name)
      return undefined
    } finally {
      this.#leading.delete(party)
    }
  }

  #check(answer: unknown): void {
    const [word, count] = answer === null || answer === undefined ? [] : String(answer).split(' ')
    if (word === 'broken') throw broken(this.name)
    if (word === 'late')
      throw new CrossmemError('ERR_TIMEOUT', `waiting at "${this.name}": timed out after 0 ms`)
    if (word !== 'parties') return
    throw new CrossmemError(
      'ERR_INVALID_ARG',
      `"${this.name}" exists for ${count} parties, not ${this.parties}`,
    )
  }
}

const broken = (name: string): CrossmemError =>
  new CrossmemError('ERR_BROKEN_BARRIER', `the barrier "${name}" is broken; reset() makes it as new`)
