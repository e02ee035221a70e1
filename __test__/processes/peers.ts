import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { Reference } from 'crossmem'
import type { Answer } from '../fixtures/locks/obey-locks.js'
import { fixture } from '../helpers/paths.js'
import { gone, start } from './children.js'
import { pack, unpack } from './wire.js'

/** Where the other one lives: all that is promised holds between processes and between threads. */
export const places = ['process', 'thread'] as const
export type Place = (typeof places)[number]

interface Call {
  began: () => void
  resolve: (answer: unknown) => void
  reject: (error: unknown) => void
}

/** Something in another process or on another thread. */
export class Distant {
  readonly #peer: Peer
  readonly kept: string
  /** Of a guard. */
  readonly ownerDied: boolean | undefined

  constructor(peer: Peer, kept: string, ownerDied?: boolean) {
    this.#peer = peer
    this.kept = kept
    this.ownerDied = ownerDied
  }

  /** Calls a method there, or reads a property. Resolves with the result, or with another distant thing. */
  async do<T = unknown>(call: string, ...args: unknown[]): Promise<T> {
    return this.#peer.call(this.kept, call, args).result as Promise<T>
  }

  /** As `do`, for what waits: resolves as soon as it waits; a synchronous wait, as soon as it sleeps. */
  async begin<T = unknown>(call: string, ...args: unknown[]): Promise<{ result: Promise<T> }> {
    const { began, result } = this.#peer.call(this.kept, call, args)
    result.catch(() => undefined)
    await Promise.race([began, result])
    if (call.endsWith('Sync')) await this.#peer.asleep(result)
    return { result: result as Promise<T> }
  }

  /** Takes a lock there. */
  take(call: string, ...args: unknown[]): Promise<Distant> {
    return this.do<Distant>(call, ...args)
  }

  toJSON(): { kept: string } {
    return { kept: this.kept }
  }
}

/** Another process or thread that does with shared objects what it is told. */
export class Peer {
  readonly place: Place
  /** Its process, if it is one. */
  readonly child: ChildProcess | undefined
  readonly #worker: Worker | undefined
  readonly #calls = new Map<number, Call>()
  #lastCall = 0
  #thread = ''

  private constructor(place: Place) {
    this.place = place
    if (place === 'process') this.child = start('locks/obey-locks')
    else this.#worker = new Worker(fixture('locks/obey-locks'))
    const both = (this.child ?? this.#worker) as NodeJS.EventEmitter
    both.on('message', (answer: Answer) => this.#hear(answer))
    both.once('error', () => undefined)
    both.once('exit', () => {
      for (const call of this.#calls.values()) call.reject(new Error(`the ${place} ended`))
    })
  }

  static async hire(place: Place): Promise<Peer> {
    const peer = new Peer(place)
    await once((peer.child ?? peer.#worker) as NodeJS.EventEmitter, 'message')
    return peer
  }

  /** What `open` makes there of a reference or a name. */
  open(reference: Pick<Reference, 'crossmem' | 'name'> | string): Promise<Distant> {
    return this.it('crossmem').take('open', reference)
  }

  /** One of the things that it knows from the beginning: `crossmem`, a class of it, `process` or `deeds`. */
  it(name: string): Distant {
    return new Distant(this, name)
  }

  /** Kills it at once, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.#worker) await this.#worker.terminate()
    this.child?.kill('SIGKILL')
    await this.gone()
  }

  /** Waits until it is gone; how it ended. */
  async gone(): Promise<{ code: number | null; signal: string | null }> {
    if (this.child) return gone(this.child)
    const worker = this.#worker as Worker
    const code = await new Promise<number | null>(resolve => {
      if (worker.threadId === -1) resolve(null)
      else worker.once('exit', resolve)
    })
    return { code, signal: null }
  }

  call(on: string, call: string, args: unknown[]): { began: Promise<void>; result: Promise<unknown> } {
    const id = ++this.#lastCall
    let began = (): void => undefined
    const hasBegun = new Promise<void>(resolve => {
      began = resolve
    })
    const result = new Promise((resolve, reject) => {
      this.#calls.set(id, { began, resolve, reject })
    })
    const order = { id, on, call, args: pack(args) as unknown[] }
    if (this.child) this.child.send(order)
    else this.#worker?.postMessage(order)
    return { began: hasBegun, result }
  }

  /** Waits until it sleeps in a futex, or has the result. */
  async asleep(result: Promise<unknown>): Promise<void> {
    if (process.platform !== 'linux') return
    let isOver = false
    const over = () => {
      isOver = true
    }
    result.then(over, over)
    // 202 on x86-64, 98 on arm64.
    while (!isOver && !/^(202|98) /.test(readFileSync(`/proc/${this.#thread}/syscall`, 'utf8'))) {
      await new Promise(setImmediate)
    }
  }

  #hear(answer: Answer): void {
    if ('thread' in answer) {
      this.#thread = answer.thread
      return
    }
    const call = this.#calls.get(answer.id)
    if ('began' in answer) {
      call?.began()
      return
    }
    this.#calls.delete(answer.id)
    if ('refused' in answer) call?.reject(Object.assign(new Error(answer.refused), { code: answer.code }))
    else if (answer.kept === undefined) call?.resolve(unpack(answer.answer))
    else call?.resolve(new Distant(this, answer.kept, (answer.answer as { ownerDied?: boolean }).ownerDied))
  }
}

/** Hires one, and dismisses it at the end of the test. */
export async function hire(t: { teardown(end: () => Promise<void>): void }, place: Place): Promise<Peer> {
  const peer = await Peer.hire(place)
  t.teardown(() => peer.kill())
  return peer
}
