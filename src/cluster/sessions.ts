import { CrossmemError, hasCode } from '../errors.js'
import { now, setTimeout } from '../wait/index.js'
import { translated } from './server-errors.js'
import { type Place, Session } from './session.js'

/** Between two attempts to connect, in milliseconds: at first, and at the most. */
const FIRST_PAUSE = 20
const LONGEST_PAUSE = 1000

/** The sessions of a connection, one after the other. */
export class Sessions {
  readonly place: Place
  #current: Promise<Session>
  /** The session of now, once it is there. */
  #session: Session | undefined
  #isOpening = false
  #closed: CrossmemError | undefined

  private constructor(place: Place, session: Session) {
    this.place = place
    this.#current = Promise.resolve(session)
    this.#session = session
  }

  /**
   * @throws {CrossmemError} ERR_DISCONNECTED: there is no server. ERR_PERMISSION: it refuses the
   *   client
   */
  static async open(place: Place): Promise<Sessions> {
    try {
      return new Sessions(place, await Session.open(place))
    } catch (error) {
      throw unreachable(error)
    }
  }

  /**
   * The session of now. Without one, tries to connect again for as long as a lease lasts.
   *
   * @throws {CrossmemError} ERR_DISCONNECTED, ERR_PERMISSION, ERR_CLOSED
   */
  async get(): Promise<Session> {
    if (this.#closed) throw this.#closed
    if (this.#session && !this.#session.lost) return this.#session
    this.#session = undefined
    if (!this.#isOpening && (await this.#current.then(isOver, () => true))) this.#reopen()
    this.#session = await this.#current
    return this.#session
  }

  async close(): Promise<void> {
    this.#closed ??= new CrossmemError('ERR_CLOSED', 'the connection was closed; connect again to use it')
    const session = await this.#current.catch(() => undefined)
    await session?.close(this.#closed)
  }

  #reopen(): void {
    if (this.#isOpening) return
    this.#isOpening = true
    this.#current = this.#connect().finally(() => {
      this.#isOpening = false
    })
    this.#current.catch(() => undefined)
  }

  async #connect(): Promise<Session> {
    const deadline = now() + this.place.lease
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      try {
        const session = await Session.open(this.place)
        if (!this.#closed) return session
        await session.close(this.#closed)
        throw this.#closed
      } catch (error) {
        if (this.#closed) throw this.#closed
        const failure = unreachable(error)
        if (!mayPass(failure) || now() + pause > deadline) throw failure
      }
      await new Promise<void>(resolve => setTimeout(resolve, pause))
    }
  }
}

const isOver = (session: Session): boolean => session.lost !== undefined

/** A server that starts refuses clients until it has loaded its data. */
const mayPass = (error: unknown): boolean => hasCode(error, 'ERR_DISCONNECTED', 'ERR_SERVER', 'ERR_READ_ONLY')

function unreachable(error: unknown): unknown {
  const failure = translated(error)
  if (!hasCode(failure, 'ERR_DISCONNECTED')) return failure
  const cause = (error as { cause?: unknown }).cause ?? error
  return new CrossmemError(
    'ERR_DISCONNECTED',
    `no server answers: ${(cause as Error).message}; start it, or correct the address of the client`,
    { cause },
  )
}
