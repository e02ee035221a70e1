import { CrossmemError } from '../errors.js'
import { checkFunction, checkOptions, type OptionNames, show } from '../util/index.js'
import { RemoteGuard, within } from './guard.js'
import { LOCKS, LockLine } from './lock-line.js'
import type { Home } from './remote-object.js'
import { Script } from './script.js'
import type { RemoteWaitOptions } from './waiting.js'

/** How a lock is requested, as the Web Locks API has it. */
export interface RemoteLockOptions {
  /** Whether it excludes all others of its name, or only exclusive ones. Default: `exclusive`. */
  mode?: 'exclusive' | 'shared'
  /** Whether to call the callback with `null` if the lock isn't free at once. Default: false. */
  ifAvailable?: boolean
  /** Whether to take the lock at once: its holders' guards are lost. Default: false. */
  steal?: boolean
  /** Ends the request when aborted, unless the lock was granted already. */
  signal?: AbortSignal
}

const LOCK_OPTIONS: OptionNames<RemoteLockOptions> = {
  mode: true,
  ifAvailable: true,
  steal: true,
  signal: true,
}

const stealScript = new Script(
  'takes memory',
  `${LOCKS}
refuse_dead()
be('lock')
redis.call('HSET', K, 'passing', '1')
for _, holder in ipairs(redis.call('HKEYS', HOLDERS)) do tell(holder, 'stolen') end
redis.call('DEL', HOLDERS)
return 'granted ' .. grant(SESSION .. ' ' .. ARGV[3], 'x')`,
)

/** A lock while its callback runs. */
export class RemoteLock extends RemoteGuard {
  /** The name that was requested. */
  readonly name: string
  /** Whether the lock is held alone or shared. */
  readonly mode: 'exclusive' | 'shared'

  /** @internal */
  constructor(line: NamedLine, mode: 'exclusive' | 'shared', fence: number, ownerDied: boolean) {
    super(line, fence, ownerDied)
    this.name = line.lockName
    this.mode = mode
  }
}

/** One name of `locks.request`. */
class NamedLine extends LockLine {
  readonly lockName: string

  constructor(home: Home, name: string) {
    super(home, name, 'lock')
    this.lockName = name
  }

  /** Names of locks don't collide with those of objects. */
  protected override get key(): string {
    return super.key.replace(/:\{/, ':lock:{')
  }

  async request(
    mode: 'exclusive' | 'shared',
    how: 'try' | 'steal' | 'wait',
    options: RemoteWaitOptions,
  ): Promise<RemoteLock | undefined> {
    const ask = this.ask(mode === 'shared' ? 's' : 'x', 'requesting', (fence, ownerDied) => {
      return new RemoteLock(this, mode, fence, ownerDied)
    })
    if (how === 'try') return this.askOnce(ask)
    if (how === 'wait') return this.askAndWait(ask, options)
    const session = await this.session()
    const number = session.nextNumber()
    const granted = String(await this.run(session, stealScript, [String(number)]))
    return ask.hear({ words: granted.split(' '), bytes: Buffer.alloc(0) }, session, number)
  }
}

/** Locks by any name, as `locks` has them for one machine. */
export interface RemoteLocks {
  /**
   * Requests a lock and calls `callback` with it; the lock is held until the callback's promise is
   * settled.
   *
   * @returns what `callback` returns
   * @throws {CrossmemError} ERR_INVALID_ARG: an argument is refused. ERR_LOST_OWNERSHIP: the lock
   *   was lost or stolen meanwhile. ERR_CLOSED, ERR_DISCONNECTED, ERR_NO_SPACE, ERR_READ_ONLY,
   *   ERR_PERMISSION, ERR_SERVER
   * @throws the signal's reason, if `signal` is aborted
   */
  request<T>(name: string, callback: (lock: RemoteLock) => T | Promise<T>): Promise<Awaited<T>>
  /** The same with options. With `ifAvailable`, `callback` gets `null` if the lock is held. */
  request<T>(
    name: string,
    options: RemoteLockOptions,
    callback: (lock: RemoteLock | null) => T | Promise<T>,
  ): Promise<Awaited<T>>
}

/** The locks of a connection. */
export function namedLocks(home: Home): RemoteLocks {
  return {
    async request(name: string, ...rest: unknown[]): Promise<never> {
      const [options, callback] = rest.length > 1 ? rest : [undefined, rest[0]]
      const {
        mode = 'exclusive',
        ifAvailable = false,
        steal = false,
        signal,
      } = checkOptions(options as RemoteLockOptions | undefined, LOCK_OPTIONS)
      checkFunction('the callback', callback)
      if (mode !== 'exclusive' && mode !== 'shared') {
        throw new CrossmemError('ERR_INVALID_ARG', `mode is "exclusive" or "shared", not ${show(mode)}`)
      }
      if (steal && (ifAvailable || mode === 'shared' || signal)) {
        throw new CrossmemError(
          'ERR_INVALID_ARG',
          'steal goes with none of ifAvailable, signal and mode: "shared"',
        )
      }
      const line = new NamedLine(home, name)
      try {
        const lock = await line.request(mode, steal ? 'steal' : ifAvailable ? 'try' : 'wait', { signal })
        const act = callback as (lock: RemoteLock | null) => never
        return lock ? await within(lock, act) : await act(null)
      } finally {
        await line.close()
      }
    },
  }
}
