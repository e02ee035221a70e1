import { channelSource, isDrained, type Source } from '../messages/index.js'
import { attempts, clearPad, messageFlags, pad, transfers } from '../native/index.js'
import type { SharedObject } from '../objects/index.js'
import {
  checkBeforeAttempt,
  checkBeforeAttemptSync,
  loopIsStarved,
  type SyncWaitOptions,
  type WaitOptions,
} from '../wait/index.js'

const { ELSEWHERE, ENDED, NOT_YET, MORE } = transfers
// Bound here: what is imported is read through accessors of two modules at each use.
const { TRY, IN_TURN } = attempts
const { bytes, elsewhere } = pad
const isStarved = loopIsStarved

/** Receives messages at one end of a pipe, and joins those that came in parts. */
export class PipeReader {
  readonly #source: Source
  /** The parts of a message that is not complete yet. */
  #parts: Uint8Array[] = []

  constructor(object: SharedObject, end: number) {
    this.#source = channelSource(object, end)
  }

  tryReceive(): Uint8Array | undefined {
    return this.#take(TRY, false)
  }

  async receive(options: WaitOptions | undefined): Promise<Uint8Array> {
    checkBeforeAttempt(options)
    const { object, channel } = this.#source
    if (object.isIdle(channel) && !isStarved()) {
      const now = this.#take(IN_TURN)
      if (now) return now
    }
    return object.wait({ attempt: mode => this.#take(mode), doing: this.#doing }, options, channel)
  }

  receiveSync(options: SyncWaitOptions | undefined): Uint8Array {
    checkBeforeAttemptSync(options)
    const now = this.#take(IN_TURN)
    if (now) return now
    const { object, channel } = this.#source
    return object.waitSync({ attempt: mode => this.#take(mode), doing: this.#doing }, options, channel)
  }

  get #doing(): string {
    return `receiving from "${this.#source.object.name}"`
  }

  #take(mode: number, throwsAtEnd = true): Uint8Array | undefined {
    for (;;) {
      // If this environment is registered as a sleeper, only a call into the addon removes it.
      const fast = mode === TRY || mode === IN_TURN ? this.#source.fast?.pop() : undefined
      if (fast) {
        this.#parts.push(fast)
        return this.#whole()
      }
      clearPad()
      const taken = this.#source.take(mode)
      if (taken === NOT_YET) return undefined
      if (taken === ENDED) {
        // An incomplete message can't be completed any more.
        this.#parts = []
        if (throwsAtEnd) throw isDrained(this.#source.object.name)
        return undefined
      }
      const more = taken === ELSEWHERE ? (elsewhere[2] as number) & messageFlags.MORE : taken >= MORE
      this.#parts.push(taken === ELSEWHERE ? this.#source.takeElsewhere() : bytes.slice(0, taken % MORE))
      if (!more) return this.#whole()
    }
  }

  #whole(): Uint8Array {
    const [first, ...rest] = this.#parts as [Uint8Array, ...Uint8Array[]]
    this.#parts = []
    if (rest.length === 0) return first
    const whole = new Uint8Array(rest.reduce((length, part) => length + part.length, first.length))
    whole.set(first)
    let at = first.length
    for (const part of rest) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  }
}
