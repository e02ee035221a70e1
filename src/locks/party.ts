import { CrossmemError } from '../errors.js'
import { nativeLocks } from '../native/index.js'
import type { Held, SharedObject } from '../objects/index.js'
import type { WaitSpec } from '../wait/index.js'

/** What the addon says of an arrival, and of a meeting. */
const WAITING = 1
const LEADING = 2
const BROKEN = 3
const MET = 1

interface Arrival {
  /** How many came before. */
  index: number
  /** Came last, and has to end the meeting. */
  leads: boolean
}

/** One party on its way through the barrier. */
export class Party implements WaitSpec<Arrival> {
  readonly doing: string
  readonly isIndependent = true
  readonly #handle: number
  readonly #name: string
  #place: { generation: number; index: number } | undefined

  constructor(handle: number, name: string) {
    this.#handle = handle
    this.#name = name
    this.doing = `waiting at "${name}"`
  }

  readonly attempt = (mode: number): Arrival | undefined => {
    if (!this.#place) {
      const { role, generation, index } = nativeLocks.arrive(this.#handle, mode)
      if (role === BROKEN) throw broken(this.#name)
      if (role === WAITING || role === LEADING) this.#place = { generation, index }
      if (role === LEADING) return { index, leads: true }
    }
    return this.#place && this.#meet(nativeLocks.waitMeeting(this.#handle, this.#place.generation, mode))
  }

  /** Whoever gives up breaks the barrier, unless all had met by then. */
  readonly onFailure = (): Arrival | undefined =>
    this.#place && nativeLocks.abortMeeting(this.#handle, this.#place.generation) === MET
      ? { index: this.#place.index, leads: false }
      : undefined

  /** The action is done: all go on. */
  complete(): void {
    this.#meet(nativeLocks.completeMeeting(this.#handle, this.#place?.generation ?? 0))
  }

  #meet(status: number): Arrival | undefined {
    if (status === 0 || !this.#place) return undefined
    if (status === MET) return { index: this.#place.index, leads: false }
    throw broken(this.#name)
  }
}

/** The last party to come, while it runs the action. Unless that succeeds, the meeting is broken off. */
export class Leading implements Held {
  readonly #object: SharedObject
  readonly #party: Party
  #isOver = false

  constructor(object: SharedObject, party: Party) {
    this.#object = object
    this.#party = party
    object.held.add(this)
  }

  /** The action is done: all go on. */
  complete(): void {
    this.#party.complete()
    this.#isOver = true
  }

  /** The handle is closed meanwhile. */
  abandon(): void {
    this.#isOver = true
    this.#party.onFailure()
  }

  end(): void {
    this.#object.held.delete(this)
    if (!this.#isOver) this.#party.onFailure()
    this.#object.serveWaiters()
  }
}

const broken = (name: string): CrossmemError =>
  new CrossmemError(
    'ERR_BROKEN_BARRIER',
    `the barrier "${name}" is broken: a party died, gave up or aborted it; reset() makes it as new`,
  )
