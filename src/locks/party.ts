import { CrossmemError } from '../errors.js'
import { arrivals, meetings, nativeLocks } from '../native/index.js'
import type { Held, SharedObject } from '../objects/index.js'
import type { WaitSpec } from '../wait/index.js'

const { WAITING, LEADING, BROKEN } = arrivals
const { NOT_YET, MET } = meetings

interface Arrival {
  /** How many parties came before. */
  index: number
  /** Whether it came last and has to end the meeting. */
  leads: boolean
}

/** One party on its way through the barrier. */
export class Party implements WaitSpec<Arrival> {
  readonly doing: string
  readonly isIndependent = true
  readonly #handle: number
  readonly #name: string
  #meeting: { generation: number; index: number } | undefined

  constructor(handle: number, name: string) {
    this.#handle = handle
    this.#name = name
    this.doing = `waiting at "${name}"`
  }

  readonly attempt = (mode: number): Arrival | undefined => {
    if (!this.#meeting) {
      const { role, generation, index } = nativeLocks.arrive(this.#handle, mode)
      if (role === BROKEN) throw broken(this.#name)
      if (role === WAITING || role === LEADING) this.#meeting = { generation, index }
      if (role === LEADING) return { index, leads: true }
    }
    return this.#meeting && this.#meet(nativeLocks.waitMeeting(this.#handle, this.#meeting.generation, mode))
  }

  /** A party that stops waiting breaks the barrier, unless all have met by then. */
  readonly onFailure = (): Arrival | undefined =>
    this.#meeting && nativeLocks.abortMeeting(this.#handle, this.#meeting.generation) === MET
      ? { index: this.#meeting.index, leads: false }
      : undefined

  /** Ends the meeting: all parties go on. */
  complete(): void {
    this.#meet(nativeLocks.completeMeeting(this.#handle, this.#meeting?.generation ?? 0))
  }

  #meet(status: number): Arrival | undefined {
    if (status === NOT_YET || !this.#meeting) return undefined
    if (status === MET) return { index: this.#meeting.index, leads: false }
    throw broken(this.#name)
  }
}

/**
 * The last party to come, while it runs the action. Unless the action succeeds, the barrier breaks.
 */
export class Leading implements Held {
  readonly #object: SharedObject
  readonly #party: Party
  #isOver = false

  constructor(object: SharedObject, party: Party) {
    this.#object = object
    this.#party = party
    object.held.add(this)
  }

  /** The action succeeded: all parties go on. */
  complete(): void {
    this.#party.complete()
    this.#isOver = true
  }

  /** The handle is being closed. */
  abandon(): void {
    this.#isOver = true
    this.#party.onFailure()
  }

  /** The action is over; unless it succeeded, the barrier breaks. */
  end(): void {
    this.#object.held.delete(this)
    if (!this.#isOver) this.#party.onFailure()
    this.#object.serveWaiters()
  }
}

const broken = (name: string): CrossmemError =>
  new CrossmemError(
    'ERR_BROKEN_BARRIER',
    `the barrier "${name}" is broken: a party died, stopped waiting or called abort(); call reset() to use it again`,
  )
