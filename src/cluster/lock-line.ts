import { CrossmemError } from '../errors.js'
import type { RemoteGuard } from './guard.js'
import { type Abandoned, type Home, RemoteObject } from './remote-object.js'
import { Script } from './script.js'
import { disconnected } from './server-errors.js'
import type { News, Session } from './session.js'
import type { Ask } from './waiting.js'

// All locks are one table at the server: holders, a hash of `session number` with `mode fence`, and
// a line, a list of `session number mode`. Modes: x alone, s shared, p one of the permits.
//
// A holder that dies after any step leaves what the step wrote: an entry among the holders or in
// the line, which the next script that has to wait takes out, whichever connection runs it.

/** What the scripts of locks know. */
export const LOCKS = `
local HOLDERS, LINE = K .. ':holders', K .. ':line'
local function fits(mode)
  if mode == 'p' then return redis.call('HLEN', HOLDERS) < tonumber(redis.call('HGET', K, 'permits')) end
  local any = redis.call('HRANDFIELD', HOLDERS, 1, 'WITHVALUES')
  return #any == 0 or (mode == 's' and string.sub(any[2], 1, 1) == 's')
end
-- Grows by itself, and is ahead of all that a server has given which is this one's predecessor.
local function grant(waiter, mode)
  local state = redis.call('HMGET', K, 'fence', 'died')
  local fence = string.format('%.0f', math.max(tonumber(state[1] or 0) + 1, microseconds()))
  redis.call('HSET', K, 'fence', fence)
  redis.call('HSET', HOLDERS, waiter, mode .. ' ' .. fence)
  return fence .. ' ' .. (mode ~= 'p' and state[2] or '0')
end
local function lay_down(holder, entry)
  redis.call('HDEL', HOLDERS, holder)
  if string.sub(entry, 1, 1) == 'x' then redis.call('HSET', K, 'died', '1') end
end
local function bury()
  local all = redis.call('HGETALL', HOLDERS)
  for i = 1, #all, 2 do
    if not alive(session_of(all[i])) then lay_down(all[i], all[i + 1]) end
  end
end
local function serve()
  while true do
    local first = redis.call('LINDEX', LINE, 0)
    if not first then return end
    local waiter, mode = string.match(first, '^(%S+ %d+) (%a)$')
    if alive(session_of(waiter)) then
      if not fits(mode) then return end
      redis.call('LPOP', LINE)
      tell(waiter, 'granted ' .. grant(waiter, mode))
    else
      redis.call('LPOP', LINE)
    end
  end
end
local function shut()
  if redis.call('HGET', K, 'passing') and redis.call('HLEN', HOLDERS) == 0
    and redis.call('LLEN', LINE) == 0 and not redis.call('HGET', K, 'died') then redis.call('DEL', K) end
end
`

const lockScript = new Script(
  'takes memory',
  `${LOCKS}
refuse_dead()
local kind, number, mode, may_wait, permits, max = unpack(ARGV, 3)
if be(kind) and mode == 'p' then redis.call('HSET', K, 'permits', permits, 'max', max) end
if mode == 'p' and redis.call('HGET', K, 'max') ~= max then
  return 'max ' .. redis.call('HGET', K, 'max')
end
if kind == 'lock' then redis.call('HSET', K, 'passing', '1') end
local me = SESSION .. ' ' .. number
if redis.call('LLEN', LINE) > 0 or not fits(mode) then
  bury()
  serve()
  if redis.call('LLEN', LINE) > 0 or not fits(mode) then
    if may_wait == '1' then redis.call('RPUSH', LINE, me .. ' ' .. mode) end
    return false
  end
end
return 'granted ' .. grant(me, mode)`,
  // Nobody has it, and nobody waits.
  `
if ARGV[5] == 'x' and redis.call('EXISTS', K .. ':line', K .. ':holders') == 0
  and redis.call('EXISTS', PREFIX .. ':lease:' .. SESSION) == 1 then
  local lock = redis.call('HMGET', K, 'kind', 'fence', 'died')
  if lock[1] == ARGV[3] then
    local time = redis.call('TIME')
    local fence = string.format('%.0f', math.max(tonumber(lock[2] or 0) + 1, time[1] * 1000000 + time[2]))
    redis.call('HSET', K, 'fence', fence)
    redis.call('HSET', K .. ':holders', SESSION .. ' ' .. ARGV[4], 'x ' .. fence)
    return 'granted ' .. fence .. ' ' .. (lock[3] or '0')
  end
end`,
)

const releaseScript = new Script(
  'makes room',
  `${LOCKS}
local me = SESSION .. ' ' .. ARGV[3]
local entry = redis.call('HGET', HOLDERS, me)
if not entry then return 0 end
if ARGV[4] == 'abandon' then lay_down(me, entry) else redis.call('HDEL', HOLDERS, me) end
if ARGV[4] == 'consume' then redis.call('HINCRBY', K, 'permits', -1) end
serve()
shut()
return 1`,
  // Nobody waits.
  `
if ARGV[4] == 'release' and redis.call('EXISTS', K .. ':line') == 0 and redis.call('HEXISTS', K, 'passing') == 0 then
  return redis.call('HDEL', K .. ':holders', SESSION .. ' ' .. ARGV[3])
end`,
)

const cancelScript = new Script(
  'makes room',
  `${LOCKS}
local me = SESSION .. ' ' .. ARGV[3]
if redis.call('LREM', LINE, 1, me .. ' ' .. ARGV[4]) == 0 then redis.call('HDEL', HOLDERS, me) end
serve()
shut()`,
)

const lookScript = new Script('makes room', `${LOCKS} bury() serve() shut()`)

const consistentScript = new Script(
  'makes room',
  `${LOCKS}
local entry = redis.call('HGET', HOLDERS, SESSION .. ' ' .. ARGV[3])
if not entry or string.sub(entry, 1, 1) ~= 'x' then return 0 end
redis.call('HDEL', K, 'died')
return 1`,
)

const heldScript = new Script(
  'makes room',
  `${LOCKS}
bury()
serve()
return redis.call('HLEN', HOLDERS)`,
)

/** How a lock is held: alone, shared, or as one of its permits. */
export type Mode = 'x' | 's' | 'p'

/** The parts of the key of a lock. */
export const LOCK_PARTS = ['holders', 'line', 'notified']

/** A place among the holders that a guard stands for. */
export interface Holding extends Abandoned {
  readonly session: Session
  readonly number: number
  hear(news: News): void
}

/** Base of all locks at a server. */
export abstract class LockLine extends RemoteObject {
  readonly #holdings = new Map<RemoteGuard, Holding>()
  readonly #kind: string
  readonly #permits: readonly [string, string]

  /** @internal */
  protected constructor(home: Home, name: string, kind: string, permits: readonly [number, number] = [1, 1]) {
    super(home, name, LOCK_PARTS)
    this.#kind = kind
    this.#permits = [String(permits[0]), String(permits[1])]
  }

  /** @internal */
  async release(guard: RemoteGuard): Promise<void> {
    await this.#giveBack(guard, 'release')
  }

  /** @internal */
  async markConsistent(guard: RemoteGuard): Promise<void> {
    const { session, number } = this.holdingOf(guard)
    if ((await this.run(session, consistentScript, [String(number)])) === 1) return
    throw new CrossmemError('ERR_LOST_OWNERSHIP', `"${this.name}" is held only for reading, or not any more`)
  }

  /** @internal */
  protected async consume(guard: RemoteGuard): Promise<void> {
    await this.#giveBack(guard, 'consume')
    guard.forget()
  }

  /** The guards that this handle holds, the oldest first. @internal */
  protected get guards(): RemoteGuard[] {
    return [...this.#holdings.keys()]
  }

  /** @internal */
  protected holdingOf(guard: RemoteGuard): Holding {
    const holding = this.#holdings.get(guard)
    if (holding) return holding
    throw new CrossmemError('ERR_LOST_OWNERSHIP', `"${this.name}" isn't held by this guard any more`)
  }

  /** How many living holders there are. @internal */
  protected async countHolders(): Promise<number> {
    return (await this.call(heldScript)) as number
  }

  /** @internal */
  protected ask<Held extends RemoteGuard>(
    mode: Mode,
    doing: string,
    make: (fence: number, ownerDied: boolean) => Held,
  ): Ask<Held> {
    const granted = (text: string, session: Session, number: number): Held => {
      const [word, fence, died] = text.split(' ')
      if (word === 'gone') throw this.gone()
      if (word === 'max') {
        throw new CrossmemError(
          'ERR_INVALID_ARG',
          `"${this.name}" exists with at most ${fence} permits, not ${this.#permits[1]}`,
        )
      }
      if (word !== 'granted') throw disconnected(`the server said "${word}" of "${this.name}"`)
      const guard = make(Number(fence), died === '1')
      this.#keep(guard, session, number)
      return guard
    }
    return {
      doing: `${doing} "${this.name}"`,
      key: this.key,
      repeats: true,
      begin: async (session, number, mayWait) => {
        const answer = await this.run(session, lockScript, [
          this.#kind,
          String(number),
          mode,
          mayWait ? '1' : '0',
          ...this.#permits,
        ])
        return answer === null ? undefined : granted(String(answer), session, number)
      },
      hear: ({ words }: News, session, number) => granted(words.join(' '), session, number),
      cancel: async (session, number, begun) => {
        if (begun) {
          await begun.release()
          return undefined
        }
        await this.run(session, cancelScript, [String(number), mode])
        return undefined
      },
      look: session => this.run(session, lookScript),
    }
  }

  /** The server took the guard's place back without it. @internal */
  protected spent(guard: RemoteGuard): void {
    const holding = this.#holdings.get(guard)
    if (holding) this.#forget(guard, holding)
    guard.forget()
  }

  /** The lock went to someone else. @internal */
  protected forsake(guard: RemoteGuard, reason: CrossmemError): void {
    const holding = this.#holdings.get(guard)
    if (holding) this.#forget(guard, holding)
    guard.lose(reason)
  }

  #keep(guard: RemoteGuard, session: Session, number: number): void {
    const holding: Holding = {
      session,
      number,
      lose: reason => {
        this.#forget(guard, holding)
        guard.lose(reason)
      },
      abandon: async () => {
        guard.forget()
        await this.#giveBack(guard, 'abandon')
      },
      hear: ({ words: [word] }) => {
        if (word === 'stolen') this.forsake(guard, wasStolen(this.name))
      },
    }
    this.#holdings.set(guard, holding)
    this.hold(session, holding)
    session.expect(number, holding.hear)
  }

  #forget(guard: RemoteGuard, holding: Holding): void {
    this.#holdings.delete(guard)
    this.drop(holding.session, holding)
    holding.session.forget(holding.number, holding.hear)
  }

  async #giveBack(guard: RemoteGuard, how: 'release' | 'abandon' | 'consume'): Promise<void> {
    const holding = this.holdingOf(guard)
    this.#forget(guard, holding)
    const answer = await this.run(holding.session, releaseScript, [String(holding.number), how])
    if (answer === 1) return
    throw new CrossmemError(
      'ERR_LOST_OWNERSHIP',
      `"${this.name}" was taken over or unlinked; its guard is void`,
    )
  }
}

const wasStolen = (name: string): CrossmemError =>
  new CrossmemError('ERR_LOST_OWNERSHIP', `"${name}" was stolen by another request`)
