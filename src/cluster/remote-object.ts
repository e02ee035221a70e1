import { CrossmemError, hasCode } from '../errors.js'
import { asyncDispose, type InspectionArguments, inspection, showAs, stays } from '../util/index.js'
import type { Argument } from './link.js'
import { Script } from './script.js'
import { translated } from './server-errors.js'
import type { Lost, Session } from './session.js'
import type { Sessions } from './sessions.js'
import { type Ask, type RemoteWaitOptions, type Stop, tryRemotely, waitRemotely } from './waiting.js'

/** What a connection hands to its objects. */
export interface Home {
  readonly sessions: Sessions
  /** The objects that are open, which close with the connection. */
  readonly open: Set<RemoteObject>
}

/** Tells all that wait at the object, and removes all that it has. */
const unlinkScript = new Script(
  'makes room',
  `
local existed = redis.call('DEL', K)
for i = 3, #ARGV do
  local part = K .. ':' .. ARGV[i]
  if redis.call('TYPE', part).ok == 'list' then tell_all(part, 'gone') end
  redis.call('DEL', part)
end
return existed`,
)

/** A name is part of keys; braces mark what a server in cluster mode places them by. */
export function checkRemoteName(name: unknown): string {
  const isName =
    typeof name === 'string' && name !== '' && name.length <= 200 && !/[{}\p{Surrogate}]/u.test(name)
  if (isName) return name
  throw new CrossmemError(
    'ERR_INVALID_NAME',
    `a name is a string of 1 to 200 characters without { and }, not ${typeof name === 'string' ? JSON.stringify(name.slice(0, 80)) : typeof name}`,
  )
}

/** Base of the objects at a server: a name, calls as scripts, waits, closing. */
export abstract class RemoteObject implements AsyncDisposable {
  /** The object's name, which is unique among all kinds of one prefix. */
  readonly name: string
  readonly #home: Home
  readonly #parts: readonly string[]
  readonly #stops = new Set<Stop>()
  readonly #held = new Set<Abandoned>()
  #isClosed = false

  /** @internal */
  protected constructor(home: Home, name: string, parts: readonly string[]) {
    this.name = checkRemoteName(name)
    this.#home = home
    this.#parts = parts
    home.open.add(this)
  }

  /**
   * Removes the object from the server: those that wait at it get ERR_NOT_FOUND, and the next use
   * of its name makes a new object.
   *
   * @returns whether it was there
   * @throws {CrossmemError} ERR_CLOSED, ERR_DISCONNECTED, ERR_READ_ONLY, ERR_PERMISSION
   */
  async unlink(): Promise<boolean> {
    return (await this.call(unlinkScript, ...this.#parts)) === 1
  }

  /**
   * Closes this handle. What it holds counts as its holder's death, and pending waits reject with
   * ERR_CLOSED. Calling it again does nothing.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#home.open.delete(this)
    for (const stop of [...this.#stops]) stop.now(this.#closed())
    const held = [...this.#held]
    this.#held.clear()
    await Promise.all(
      held.map(one =>
        one.abandon().catch(error => {
          // What a lost connection held is gone already.
          if (!hasCode(error, 'ERR_DISCONNECTED', 'ERR_LOST_OWNERSHIP', 'ERR_CLOSED')) throw error
        }),
      ),
    )
  }

  /** Closes it at the end of an `await using` block. */
  async [asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Shows the name in `console.log`. */
  [inspection](...how: InspectionArguments): string {
    return showAs(`${this.constructor.name}${this.#isClosed ? ' (closed)' : ''}`, { name: this.name }, ...how)
  }

  /** @internal */
  protected get key(): string {
    return `${this.prefix}:{${this.name}}`
  }

  /** @internal */
  protected get prefix(): string {
    return this.#home.sessions.place.prefix
  }

  /** @internal */
  protected async session(): Promise<Session> {
    this.checkOpen()
    return this.#home.sessions.get()
  }

  /** @internal */
  protected checkOpen(): void {
    if (this.#isClosed) throw this.#closed()
  }

  /** Runs a script for this object, and words its errors. @internal */
  protected async run(
    session: Session,
    script: Script,
    args: readonly Argument[] = [],
    on?: Parameters<Session['run']>[3],
  ): Promise<unknown> {
    try {
      return await session.run(script, this.key, args, on)
    } catch (error) {
      throw translated(error, this.name)
    }
  }

  /** As `run`, in the session of now. @internal */
  protected async call(script: Script, ...args: Argument[]): Promise<unknown> {
    return this.run(await this.session(), script, args)
  }

  /** @internal */
  protected async askAndWait<T>(ask: Ask<T>, options: RemoteWaitOptions | undefined): Promise<T> {
    this.checkOpen()
    return waitRemotely(this.#home.sessions, ask, options, this.#stops)
  }

  /** @internal */
  protected async askOnce<T>(ask: Ask<T>): Promise<T | undefined> {
    this.checkOpen()
    return tryRemotely(this.#home.sessions, ask)
  }

  /** What is given back when the handle closes, and lost with the session. @internal */
  protected hold(session: Session, held: Abandoned): void {
    this.#held.add(held)
    session.held.add(held)
    if (session.lost) held.lose(session.lost)
  }

  /** @internal */
  protected drop(session: Session, held: Abandoned): void {
    this.#held.delete(held)
    session.held.delete(held)
  }

  /** @internal */
  protected gone(): CrossmemError {
    return new CrossmemError('ERR_NOT_FOUND', `"${this.name}" was unlinked during the wait`)
  }

  #closed(): CrossmemError {
    return new CrossmemError('ERR_CLOSED', `"${this.name}" was closed; open it again to use it`)
  }
}

/** Something held that its holder leaves behind. */
export interface Abandoned extends Lost {
  abandon(): Promise<void>
}

stays(RemoteObject as never, 'it belongs to this connection; send its name')
