import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fixture } from '../helpers/paths.js'
import { gone } from '../processes/children.js'
import type { Life } from './actor.js'
import { SEATS, type SoakBoard } from './board.js'

/** Bytes of what it prints that are kept. */
const TAIL = 4000

/** A process that lives in a soak. It is started without a life, and is ready for one. */
export class Program {
  readonly child: ChildProcess
  readonly #ready: Promise<void>
  readonly #closed: Promise<unknown>
  #life?: Life
  #printed = ''
  #hasBegun = false

  constructor(hear: (said: string) => void) {
    const path = fixture('proofs/soak-live')
    // Detached: what is typed to end the soak is for this process only.
    this.child = fork(path, {
      serialization: 'json',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      detached: true,
    })
    this.#closed = once(this.child, 'close')
    this.child.stderr?.setEncoding('utf8').on('data', text => {
      this.#printed = (this.#printed + text).slice(-TAIL)
    })
    this.child.on('error', () => undefined)
    this.#ready = new Promise(resolve => {
      this.child.once('exit', () => resolve())
      this.child.on('message', said => {
        if (said === 'ready') resolve()
        else if (said === 'begun') this.#hasBegun = true
        else hear(String(said))
      })
    })
  }

  get pid(): number {
    return this.child.pid as number
  }

  get life(): Life | undefined {
    return this.#life
  }

  get hasBegun(): boolean {
    return this.#hasBegun
  }

  get isGone(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  async live(life: Life): Promise<void> {
    await this.#ready
    if (this.isGone) return
    this.#life = life
    // It may be killed at this moment; `gone` tells.
    this.child.send(life, () => undefined)
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Waits until it is gone: how it ended, and what it printed. */
  async gone(board: SoakBoard): Promise<{ code: number | null; signal: string | null; printed: string }> {
    const end = await gone(this.child)
    await this.#closed
    if (this.#life) for (const seat of [this.#life.seat, this.#life.seat + SEATS]) board.bury(seat)
    return { ...end, printed: this.#printed }
  }
}
