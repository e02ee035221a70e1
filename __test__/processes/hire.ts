import { type End, type How, type Line, starters } from './lines.js'
import type { Answer, Order, Said } from './orders.js'

/** Where the other one lives: all that is promised holds between processes and between threads. */
export const places = ['process', 'thread'] as const
export type Place = (typeof places)[number]

interface Call {
  waits: () => void
  resolve: (answer: never) => void
  reject: (error: Error) => void
}

/** A call under way: it waits, then it has a result. */
export interface Pending<Result> {
  waits: Promise<void>
  result: Promise<Result>
}

/** A program that takes orders, in another process or on another thread. */
export class Hired<Orders> {
  readonly #line: Line
  readonly #calls = new Map<number, Call>()
  #lastCall = -1
  #end?: End

  constructor(line: Line) {
    this.#line = line
    line.hear(said => this.#hear(said))
    void line.ended.then(end => {
      this.#end = end
      for (const { reject } of this.#calls.values()) reject(hasEnded(end))
      this.#calls.clear()
    })
  }

  /** Resolves when the program takes orders; that it does is its answer to number 0. */
  ready(): Promise<void> {
    return this.#call<void>().result
  }

  /**
   * Gives an order. Resolves with the answer; rejects if it was refused, or if the program ended
   * without an answer.
   */
  tell<Name extends keyof Orders>(order: Order<Orders, Name>): Promise<Answer<Orders[Name]>> {
    return this.begin(order).result
  }

  /** As `tell`, for an order that waits. */
  begin<Name extends keyof Orders>(order: Order<Orders, Name>): Pending<Answer<Orders[Name]>> {
    const pending = this.#call<Answer<Orders[Name]>>()
    if (!this.#end) this.#line.send({ id: this.#lastCall, order })
    return pending
  }

  get pid(): number | undefined {
    return this.#line.child?.pid
  }

  get isGone(): boolean {
    return this.#end !== undefined
  }

  /** Sends a signal; threads heed none. */
  signal(signal: NodeJS.Signals): void {
    this.#line.child?.kill(signal)
  }

  /** Lets the program end by itself, and waits until it is gone. */
  leave(): Promise<End> {
    this.#line.hangUp()
    return this.#line.ended
  }

  /** Kills the program at once, and waits until it is gone: the kernel has dropped all it held. */
  kill(): Promise<End> {
    this.#line.kill()
    return this.#line.ended
  }

  /** Waits until the program is gone. */
  gone(): Promise<End> {
    return this.#line.ended
  }

  #call<Result>(): Pending<Result> {
    const call: Partial<Call> = {}
    const waits = new Promise<void>(resolve => {
      call.waits = resolve
    })
    const result = new Promise<Result>((resolve, reject) => {
      Object.assign(call, { resolve, reject })
    })
    // An order may be given to a program that is about to die.
    result.catch(() => undefined)
    this.#calls.set(++this.#lastCall, call as Call)
    if (this.#end) call.reject?.(hasEnded(this.#end))
    return { waits, result }
  }

  #hear(said: Said): void {
    const call = this.#calls.get(said.id)
    if (!('waits' in said)) this.#calls.delete(said.id)
    if ('waits' in said) call?.waits()
    else if ('refused' in said) call?.reject(Object.assign(new Error(said.refused), { code: said.code }))
    else call?.resolve(said.answer as never)
  }
}

const hasEnded = (end: End): Error => new Error(`the program ended: ${JSON.stringify(end)}`)

export interface HireOptions extends How {
  as?: Place | 'python'
  args?: readonly string[]
}

/** Starts a program of `fixtures/` that takes orders; resolves when it does. */
export async function hire<Orders>(
  program: string,
  { as = 'process', args = [], ...how }: HireOptions = {},
): Promise<Hired<Orders>> {
  const hired = new Hired<Orders>(starters[as](program, args, how))
  await hired.ready()
  return hired
}
