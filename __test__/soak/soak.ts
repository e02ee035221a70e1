import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type AnyHandle, gc } from 'crossmem'
import { below } from '../helpers/random.js'
import type { Balance } from '../storm/ledger.js'
import type { Account } from '../storm/queue-storm.js'
import { streams } from '../storm/streams.js'
import { type Life, PATIENCE } from './actor.js'
import { SEATS, SoakBoard, states } from './board.js'
import { audit, clearAway, letGo } from './closing.js'
import { Files } from './files.js'
import { isTaken, lanes } from './lanes.js'
import { Mortals } from './mortals.js'
import { makeObjects } from './objects.js'
import { planEnd } from './planned-end.js'
import { Program } from './program.js'
import { Progress } from './progress.js'
import { measure, Watch } from './watch.js'

/**
 * Never killed. The last one waits on its thread, the one before has a thread that is terminated
 * again and again.
 */
const SURVIVORS = 3
/** Live at a time, beside the survivors. */
const MORTALS = 6
/** The shortest and the longest time between two kills that is aimed at, in milliseconds. */
const KILLS = [5, 50] as const
const STOPS = [100, 900] as const
/** Milliseconds between two checks of progress. */
const CHECKS = 100
const SAMPLES = 1000
/** After which messages are either taken or lost, in samples. */
const SETTLED = 30
/** Files of the domain, at most: each life has a few, and large messages have some. */
const MOST_FILES = 600

const ENDED = states.indexOf('ended')

export interface SoakOptions {
  /** What a survivor is to do wrong. */
  fault?: string
  /** How long a life may complete nothing, in milliseconds. */
  patience?: number
}

/**
 * Everything that crossmem has, at once, beside kills, stops and ends. What must not be is in
 * `violations`.
 */
export class Soak {
  readonly violations: string[] = []
  readonly board = SoakBoard.create()
  readonly mortals: Mortals
  readonly progress: Progress
  readonly watches: readonly Watch[]
  readonly files: Files
  accounts: Account[] = []
  readonly #word = `soak-${randomBytes(6).toString('hex')}`
  readonly #directory = mkdtempSync(join(tmpdir(), 'crossmem-'))
  readonly #objects: ReadonlyMap<string, readonly AnyHandle[]> = makeObjects()
  readonly #balances: Balance[] = streams.map(() => ({ put: 0, lost: 0, again: 0 }))
  readonly #nexts: number[][] = []
  readonly #lives: readonly Life[]
  readonly #survivors: readonly Program[]
  readonly #began = performance.now()
  #isOver = false
  #ended = Number.NaN

  constructor({ fault, patience = PATIENCE }: SoakOptions = {}) {
    const report = (what: string) => void this.violations.push(what)
    writeFileSync(join(this.#directory, 'lock'), '')
    this.files = new Files(this.#word)
    this.#lives = Array.from({ length: SURVIVORS }, (_, i) => this.#survivor(i, fault))
    this.#survivors = this.#lives.map(() => new Program(report))
    this.watches = ['this process', ...this.#lives.map(({ seat }) => `survivor ${seat}`)].map(
      title => new Watch(title),
    )
    this.mortals = new Mortals(this.board, seat => this.#mortal(seat), report)
    this.progress = new Progress(this.board, this.#lives, patience)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Milliseconds of it, without its end. */
  get elapsed(): number {
    return (this.#isOver ? this.#ended : performance.now()) - this.#began
  }

  get operations(): number {
    return this.board.operations.reduce((sum, count) => sum + count, 0)
  }

  get told(): number {
    return this.board.told.reduce((sum, count) => sum + count, 0)
  }

  /** The longest turn of a survivor in a lane, in milliseconds. */
  longest(lane: number): number {
    return Math.max(...this.#lives.map(({ seat }) => (this.board.longest(seat)[lane] as number) / 1000))
  }

  /** Goes on until it is enough, or something is wrong. */
  async run(isEnough: () => boolean): Promise<void> {
    await Promise.all(this.#survivors.map((program, i) => program.live(this.#lives[i] as Life)))
    const ends = this.#survivors.map((program, i) => this.#seeOut(program, i))
    this.mortals.start(Array.from({ length: MORTALS }, (_, i) => SURVIVORS + i))
    const raging = [
      this.#again(KILLS, () => this.mortals.kill()),
      this.#again(STOPS, () => this.mortals.stop()),
      this.#again([SAMPLES, SAMPLES], () => this.#sample()),
    ]
    await this.#watch(() => isEnough() || this.violations.length > 0)
    this.#ended = performance.now()
    this.#isOver = true
    await this.mortals.end()
    await Promise.all(raging)
    await this.#close(ends)
  }

  async #again([least, most]: readonly [number, number], act: () => unknown): Promise<void> {
    while (!this.#isOver) {
      await pause(least + below(most - least + 1))
      if (!this.#isOver) await act()
    }
  }

  /** Checks that all lives get on, until the soak is over. */
  async #watch(isOver: () => boolean): Promise<void> {
    let stops = 0
    while (!isOver()) {
      await pause(CHECKS)
      const { stopped, toll } = this.mortals
      this.violations.push(...this.progress.check(stopped.size > 0 || toll.stopped !== stops))
      stops = toll.stopped
    }
  }

  #sample(): void {
    const pids = [process.pid, ...this.#survivors.map(({ pid }) => pid)]
    for (const [i, pid] of pids.entries()) this.watches[i]?.add(measure(pid))
    const files = this.files.present()
    if (files.length > MOST_FILES) this.violations.push(`there are ${files.length} files in shared memory`)
    this.#nexts.push(this.board.accounts.map(({ next }) => next))
    const settled = this.#nexts.length > SETTLED ? this.#nexts.shift() : []
    for (const [i, end] of settled?.entries() ?? [])
      this.board.accounts[i]?.close(end, this.#balances[i] as Balance)
  }

  async #seeOut(program: Program, number: number): Promise<void> {
    const { code, signal, printed } = await program.gone(this.board)
    if (this.#isOver && code === 0) return
    if (this.violations.length === 0)
      this.violations.push(`survivor ${number} ended with ${code ?? signal}: ${printed}`)
  }

  async #close(ends: readonly Promise<void>[]): Promise<void> {
    let areGone = false
    const end = Promise.all(ends).then(() => {
      areGone = true
    })
    const began = performance.now()
    const isEnough = () => {
      if (this.violations.length === 0 && performance.now() - began > PATIENCE) {
        this.violations.push(`survivors don't end: ${this.#unended().join(', ')}`)
      }
      return areGone || this.violations.length > 0
    }
    try {
      if (!isEnough()) await letGo(this.board, this.#objects, this.#lives, isEnough)
    } finally {
      for (const survivor of this.#survivors) survivor.signal('SIGKILL')
      await end
    }
    if (this.violations.length === 0) {
      const { flaws, accounts } = audit(this.board, this.#objects, this.#balances)
      this.accounts = accounts
      this.violations.push(...flaws, ...this.progress.idle, ...this.watches.flatMap(({ flaws }) => flaws))
    }
    for (const object of [...this.#objects.values()].flat()) object.close()
    this.board[Symbol.dispose]()
    rmSync(this.#directory, { recursive: true })
    gc()
    this.violations.push(...(await clearAway()))
  }

  /** Checks that nothing is left in shared memory once this process has left its domain. */
  checkFiles(domain: string): void {
    const left = this.files.left(domain)
    if (left.length > 0) this.violations.push(`left behind in shared memory: ${left.join(', ')}`)
  }

  #unended(): string[] {
    return this.#lives.flatMap(({ seat, lanes: own }) =>
      own
        .filter(number => this.board.doing(seat)[number] !== ENDED)
        .map(number => `survivor ${seat} in ${lanes[number]?.title}`),
    )
  }

  #life(seat: number, isSync: boolean, own: readonly number[]): Life {
    return {
      seat,
      isSync,
      lanes: own,
      board: this.board.name,
      objects: Object.fromEntries(
        [...this.#objects].map(([kind, them]) => [kind, them.map(({ name }) => name)]),
      ),
      word: this.#word,
      file: join(this.#directory, 'lock'),
    }
  }

  #survivor(number: number, fault: string | undefined): Life {
    const isSync = number === SURVIVORS - 1
    const own = lanes.filter(lane => !(isSync && lane.isAsync) && !isTaken(lane, number, isSync))
    const life = this.#life(
      number,
      isSync,
      own.map(lane => lane.number),
    )
    life.survivor = number
    if (number === SURVIVORS - 2) life.thread = this.#thread(number)
    if (number === 0) life.fault = fault
    return life
  }

  /** Every third one waits on its thread; every third one has a thread beside it. */
  #mortal(seat: number): Life {
    const isSync = seat % 3 === 0
    const role = below(2) ? 'producer' : 'consumer'
    const own = lanes.filter(lane => {
      if (isTaken(lane, undefined, isSync) || lane.title === 'Pipe, hearing') return false
      // With both roles of a queue it could wait for itself.
      if (isSync && (lane.isAsync || lane.role === role)) return false
      // Queues without a survivor are always used.
      return streams[lane.stream ?? -1]?.kind === 'SpscQueue' || below(2) === 0
    })
    const life = this.#life(
      seat,
      isSync,
      own.map(lane => lane.number),
    )
    life.end = planEnd(below)
    if (seat % 3 === 1) life.thread = this.#thread(seat)
    return life
  }

  #thread(seat: number): Life {
    const own = lanes.filter(lane => !isTaken(lane, undefined, false) && lane.title !== 'Pipe, hearing')
    return this.#life(
      seat + SEATS,
      false,
      own.map(lane => lane.number),
    )
  }
}
