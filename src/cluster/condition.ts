import { CrossmemError, hasCode } from '../errors.js'
import { checkFunction, show } from '../util/index.js'
import { now, throwIfAborted, timedOut } from '../wait/index.js'
import type { RemoteGuard } from './guard.js'
import { LOCKS } from './lock-line.js'
import { ExclusiveLock } from './mutex.js'
import type { Home } from './remote-object.js'
import { Script } from './script.js'
import type { News, Session } from './session.js'
import { checkRemoteWait, type RemoteWaitOptions, Stop } from './waiting.js'

/** More waiters than there can be. */
const ALL = 2 ** 32 - 1

/** Gives the lock up and waits for a notification, as one step. */
const suspendScript = new Script(
  'makes room',
  `${LOCKS}
local me = SESSION .. ' ' .. ARGV[3]
if redis.call('HDEL', HOLDERS, me) == 0 then return 0 end
redis.call('RPUSH', K .. ':notified', me)
serve()
return 1`,
)

/** Those that are notified go behind those that wait for the lock. */
const notifyScript = new Script(
  'makes room',
  `${LOCKS}
if redis.call('HEXISTS', HOLDERS, SESSION .. ' ' .. ARGV[3]) == 0 then return -1 end
local notified = 0
while notified < tonumber(ARGV[4]) do
  local waiter = redis.call('LPOP', K .. ':notified')
  if not waiter then break end
  if alive(session_of(waiter)) then
    redis.call('RPUSH', LINE, waiter .. ' x')
    notified = notified + 1
  end
end
return notified`,
)

/** Waits for the lock without a notification. Says whether there was none. */
const resumeScript = new Script(
  'makes room',
  `${LOCKS}
local me = SESSION .. ' ' .. ARGV[3]
if redis.call('LREM', K .. ':notified', 1, me) == 0 then return 0 end
redis.call('RPUSH', LINE, me .. ' x')
bury()
serve()
return 1`,
)

const lookScript = new Script('makes room', `${LOCKS} bury() serve()`)

/** A condition at a server, with the lock that belongs to it. */
export class RemoteCondition extends ExclusiveLock {
  /** Guards whose lock is given up while they wait. */
  readonly #suspended = new Set<RemoteGuard>()

  /** @internal */
  constructor(home: Home, name: string) {
    super(home, name, 'Condition')
  }

  /**
   * Gives the lock up, waits for a notification, and takes the lock again: also if it rejects,
   * unless the connection was lost.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: this handle doesn't hold the lock. ERR_TIMEOUT:
   *   `timeout` ms have passed. ERR_INVALID_ARG: an option is refused. ERR_CLOSED: the handle is
   *   closed. ERR_NOT_FOUND: the object was unlinked during the wait. ERR_DISCONNECTED: the
   *   connection was lost, and the lock with it. ERR_READ_ONLY, ERR_PERMISSION, ERR_SERVER
   * @throws the signal's reason, if `signal` is aborted
   */
  async wait(options?: RemoteWaitOptions): Promise<void> {
    const { timeout, signal } = checkRemoteWait(options)
    this.checkOpen()
    throwIfAborted(signal)
    const guard = this.#guard()
    const { session, number, hear } = this.holdingOf(guard)
    const doing = `waiting for "${this.name}"`
    const stop = new Stop(timeout, signal, doing)
    this.#suspended.add(guard)
    const ends: (() => void)[] = [
      () => this.#suspended.delete(guard),
      () => stop.dispose(),
      () => session.expect(number, hear),
    ]
    let failure: { reason: unknown } | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        const lost = { lose: reject }
        session.held.add(lost)
        session.expect(number, ({ words: [word, fence, died] }: News) => {
          if (word === 'gone') reject(this.gone())
          else if (word === 'granted') {
            guard.renew(Number(fence), died === '1')
            resolve()
          }
        })
        ends.push(
          () => session.held.delete(lost),
          session.watch(this.key, () => this.run(session, lookScript)),
        )
        const resume = async (reason: unknown): Promise<void> => {
          if (await this.#resume(session, number)) failure = { reason }
        }
        const begin = async (): Promise<void> => {
          if ((await this.run(session, suspendScript, [String(number)])) !== 1) {
            throw new CrossmemError('ERR_LOST_OWNERSHIP', `"${this.name}" was taken over or unlinked`)
          }
          if (timeout === 0) await resume(timedOut(doing, 0))
          else ends.push(stop.on(reason => void resume(reason).catch(reject)))
        }
        begin().catch(reject)
      })
    } finally {
      for (const end of ends) end()
    }
    if (failure) throw failure.reason
  }

  /**
   * Waits as often as needed until `predicate` returns something truthy, which is the result. It is
   * called with the lock held.
   *
   * @throws {CrossmemError} as `wait`. ERR_INVALID_ARG: `predicate` is no function
   * @throws what `predicate` throws
   */
  async waitFor<Result>(
    predicate: () => Result | Promise<Result>,
    options?: RemoteWaitOptions,
  ): Promise<NonNullable<Result>> {
    const { timeout, signal } = checkRemoteWait(options)
    throwIfAborted(signal)
    checkFunction('the predicate', predicate)
    const deadline = now() + timeout
    for (;;) {
      this.#guard()
      const result = await predicate()
      if (result) return result
      try {
        await this.wait({ ...options, timeout: Math.max(0, deadline - now()) })
      } catch (error) {
        // The predicate may have become true without a notification.
        const last = hasCode(error, 'ERR_TIMEOUT') && (await predicate())
        if (last) return last
        throw error
      }
    }
  }

  /**
   * Wakes waiters, in the order in which they came; each gets the lock in its turn.
   *
   * @param count how many at the most, default: 1
   * @returns how many were woken
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: this handle doesn't hold the lock. ERR_INVALID_ARG:
   *   `count` is no whole number from 1 up. ERR_CLOSED, ERR_DISCONNECTED, ERR_READ_ONLY,
   *   ERR_PERMISSION, ERR_SERVER
   */
  async notify(count = 1): Promise<number> {
    if (!Number.isInteger(count) || count < 1) {
      throw new CrossmemError('ERR_INVALID_ARG', `count is a whole number from 1 up, not ${show(count)}`)
    }
    this.checkOpen()
    const { session, number } = this.holdingOf(this.#guard())
    const notified = await this.run(session, notifyScript, [String(number), String(Math.min(count, ALL))])
    if (notified === -1)
      throw new CrossmemError('ERR_LOST_OWNERSHIP', `"${this.name}" was taken over or unlinked`)
    return notified as number
  }

  /**
   * Wakes all waiters.
   *
   * @throws {CrossmemError} as `notify`
   */
  async notifyAll(): Promise<number> {
    return this.notify(ALL)
  }

  async #resume(session: Session, number: number): Promise<boolean> {
    return (await this.run(session, resumeScript, [String(number)])) === 1
  }

  #guard(): RemoteGuard {
    const guard = this.guards.find(one => !this.#suspended.has(one))
    if (guard) return guard
    throw new CrossmemError('ERR_LOST_OWNERSHIP', `this handle doesn't hold "${this.name}"; lock it first`)
  }
}
