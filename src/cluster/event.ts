import { CrossmemError } from '../errors.js'
import { checkBoolean, checkOptions, type OptionNames } from '../util/index.js'
import { type Home, RemoteObject } from './remote-object.js'
import { Script } from './script.js'
import { type Ask, type RemoteWaitOptions, TOO_LATE } from './waiting.js'

/** How an event is made. */
export interface RemoteEventOptions {
  /**
   * Whether each `set()` releases one wait and the event is then clear again. Default: false, the
   * event stays set until `clear()`.
   */
  autoReset?: boolean
}

const EVENT_OPTIONS: OptionNames<RemoteEventOptions> = { autoReset: true }

const EVENTS = `
local LINE = K .. ':line'
if be('Event') then redis.call('HSET', K, 'auto', ARGV[3])
elseif redis.call('HGET', K, 'auto') ~= ARGV[3] then return 'other' end
local is_set = redis.call('HGET', K, 'set')
`

const waitScript = new Script(
  'takes memory',
  `${EVENTS}
refuse_dead()
if is_set then
  if ARGV[3] == '1' then redis.call('HDEL', K, 'set') end
  return 'set'
end
if ARGV[5] == '1' then redis.call('RPUSH', LINE, SESSION .. ' ' .. ARGV[4]) end
return false`,
)

const setScript = new Script(
  'makes room',
  `${EVENTS}
if ARGV[3] == '0' then
  redis.call('HSET', K, 'set', '1')
  tell_all(LINE, 'set')
  return
end
while true do
  local waiter = redis.call('LPOP', LINE)
  if not waiter then redis.call('HSET', K, 'set', '1') return end
  if alive(session_of(waiter)) then tell(waiter, 'set') return end
end`,
)

const clearScript = new Script('makes room', `${EVENTS} redis.call('HDEL', K, 'set')`)
const isSetScript = new Script('makes room', `${EVENTS} return is_set and 'set' or false`)
/** Whether it still waited: if not, it was told that the event is set. */
const cancelScript = new Script(
  'makes room',
  `return redis.call('LREM', K .. ':line', 1, SESSION .. ' ' .. ARGV[3])`,
)
/** A flag at a server that programs wait for. */
export class RemoteEvent extends RemoteObject {
  /** Whether each `set()` releases one wait. */
  readonly autoReset: boolean

  /** @internal */
  constructor(home: Home, name: string, options?: RemoteEventOptions) {
    const autoReset = checkBoolean('autoReset', checkOptions(options, EVENT_OPTIONS).autoReset ?? false)
    super(home, name, ['line'])
    this.autoReset = autoReset
  }

  /**
   * Sets the event: all waits end, or the first of them with `autoReset`. Does nothing if the event
   * is set.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: the event exists with another `autoReset`. ERR_CLOSED,
   *   ERR_WRONG_KIND, ERR_DISCONNECTED, ERR_READ_ONLY, ERR_PERMISSION, ERR_SERVER
   */
  async set(): Promise<void> {
    this.#check(await this.call(setScript, this.#auto))
  }

  /**
   * Clears the event: a wait that begins from now on waits for the next `set()`.
   *
   * @throws {CrossmemError} as `set`
   */
  async clear(): Promise<void> {
    this.#check(await this.call(clearScript, this.#auto))
  }

  /**
   * Whether the event is set at this instant.
   *
   * @throws {CrossmemError} as `set`
   */
  get isSet(): Promise<boolean> {
    return this.call(isSetScript, this.#auto).then(answer => this.#check(answer) === 'set')
  }

  /**
   * Waits until the event is set. A `set()` during the wait ends it even if a `clear()` follows at
   * once.
   *
   * @throws {CrossmemError} as `RemoteMutex.lock`. ERR_INVALID_ARG: the event exists with another
   *   `autoReset`
   * @throws the signal's reason, if `signal` is aborted
   */
  async wait(options?: RemoteWaitOptions): Promise<void> {
    await this.askAndWait(this.#ask, options)
  }

  /**
   * Whether the event is set. With `autoReset`, this call clears it. Never waits.
   *
   * @throws {CrossmemError} as `set`
   */
  async tryWait(): Promise<boolean> {
    return (await this.askOnce(this.#ask)) === true
  }

  get #auto(): string {
    return this.autoReset ? '1' : '0'
  }

  get #ask(): Ask<true> {
    return {
      doing: `waiting for "${this.name}"`,
      key: this.key,
      repeats: true,
      begin: async (session, number, mayWait) => {
        const args = [this.#auto, String(number), mayWait ? '1' : '0']
        return this.#check(await this.run(session, waitScript, args)) === 'set' || undefined
      },
      hear: ({ words: [word] }) => {
        if (word === 'gone') throw this.gone()
        return true
      },
      cancel: async (session, number, begun) => {
        if (begun) return begun
        return (await this.run(session, cancelScript, [String(number)])) === 1 ? undefined : TOO_LATE
      },
    }
  }

  /** Refuses an event that was made otherwise; returns the server's word. */
  #check(answer: unknown): string | undefined {
    const word = answer === null || answer === undefined ? undefined : String(answer)
    if (word !== 'other') return word
    throw new CrossmemError(
      'ERR_INVALID_ARG',
      `"${this.name}" exists with autoReset: ${!this.autoReset}; pass that, or choose another name`,
    )
  }
}
