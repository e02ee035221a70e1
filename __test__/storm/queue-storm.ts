import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { gc, JoinableQueue, list, Pipe } from 'crossmem'
import { fixture } from '../helpers/paths.js'
import { below } from '../helpers/random.js'
import { gone, message, start } from '../processes/children.js'
import { StormBooks } from './books.js'
import { drain, flawOf, HANG, putLast } from './end.js'
import type { Balance } from './ledger.js'
import { packingOf } from './parcels.js'
import { hear, PIPE_BYTES, speak } from './pipe.js'
import type { QueueLife } from './queues.js'
import { type Made, make, type Role, roles, type Stream, streams, title } from './streams.js'

/** Victims at a time, beside the survivors. A multiple of 3, so that every role is always there. */
const VICTIMS = 6

/** What became of one queue. */
export interface Account extends Balance {
  stream: Stream
  /** Messages that the killed may have held, at most. */
  inHands: number
}

/** A queue, and the survivors that use it. */
interface Course {
  stream: Stream
  number: number
  queue: Made
  account: Account
  ends: Record<Role, Promise<unknown>>
}

interface Victim {
  life: QueueLife
  child: ChildProcess
  heard: { number: number; ends: Promise<PromiseSettledResult<void>[]> }
  close(): void
}

/**
 * Kills processes that use queues and pipes, at any moment, while others go on. Ends when that many
 * were killed, or earlier, when the books are full. What must not be comes with the accounts.
 */
export class QueueStorm {
  kills = 0
  readonly accounts: readonly Account[]
  readonly violations: string[] = []
  readonly #books = StormBooks.create()
  readonly #courses: readonly Course[]
  readonly #workers: Worker[] = []
  #lives = 0

  constructor(only: (stream: Stream) => boolean = () => true) {
    this.#courses = streams
      .map((stream, number) => ({ stream, number }))
      .filter(({ stream }) => only(stream))
      .map(({ stream, number }) => ({
        stream,
        number,
        queue: make(stream),
        account: { stream, put: 0, lost: 0, again: 0, inHands: 0 },
        ends: { producer: Promise.resolve(), consumer: Promise.resolve() },
      }))
    this.accounts = this.#courses.map(({ account }) => account)
  }

  async rage(kills: number): Promise<void> {
    await Promise.all(
      this.#courses.flatMap(course => course.stream.survivors.map(role => this.#survivor(course, role))),
    )
    let victims = await Promise.all(Array.from({ length: VICTIMS }, () => this.#victim()))
    try {
      while (this.kills < kills && !this.#isUsedUp && this.violations.length === 0) {
        await pause(Math.random() * 5)
        const dying = victims.slice(0, 1 + below(VICTIMS))
        for (const { child } of dying) child.kill('SIGKILL')
        const born = dying.map(() => this.#victim())
        await this.#survive()
        await Promise.all(dying.map(victim => this.#bury(victim)))
        victims = [...victims.slice(dying.length), ...(await Promise.all(born))]
      }
    } finally {
      for (const { child } of victims) child.kill('SIGKILL')
      await Promise.all(victims.map(victim => this.#bury(victim)))
    }
    this.#books.end()
    if (this.violations.length === 0) await Promise.all(this.#courses.map(course => this.#finish(course)))
    await Promise.all(this.#workers.map(worker => worker.terminate()))
    this.#close()
  }

  get #isUsedUp(): boolean {
    return this.#courses.some(({ number }) => this.#books.ledgers[number]?.isUsedUp)
  }

  #life(roles: readonly Role[], courses: readonly Course[]): QueueLife {
    return {
      id: this.#lives++,
      isSurvivor: false,
      roles,
      uses: courses.map(({ stream, number, queue }) => ({ stream, number, name: queue.name })),
      books: this.#books.name,
    }
  }

  /**
   * Starts a survivor; resolves when it has its role, which a victim could keep from it otherwise.
   */
  async #survivor(course: Course, role: Role): Promise<void> {
    const worker = new Worker(fixture('proofs/live-in-a-queue-storm'))
    this.#workers.push(worker)
    course.ends[role] = once(worker, 'exit')
    worker.on('message', said => this.#listen(said))
    await once(worker, 'message')
    const begun = once(worker, 'message')
    worker.postMessage({ ...this.#life([role], [course]), isSurvivor: true } satisfies QueueLife)
    await begun
  }

  /** A third puts in, a third takes out, and a third does both. */
  async #victim(): Promise<Victim> {
    const role = roles[this.#lives % 3]
    const life = this.#life(role ? [role] : roles, this.#courses)
    const [ours, theirs] = Pipe.create<string>({ capacity: PIPE_BYTES })
    life.pipe = theirs.toJSON()
    life.isSync = role !== undefined && below(2) === 0
    const child = start('proofs/live-in-a-queue-storm')
    await message(child)
    child.send(life)
    await message(child)
    child.on('message', said => this.#listen(said))
    const heard = { number: 0, ends: Promise.resolve([] as PromiseSettledResult<void>[]) }
    const hearing = hear(ours, number => {
      heard.number = number
    })
    heard.ends = Promise.allSettled([hearing, speak(ours, below, () => undefined)])
    const close = () => {
      ours.close()
      theirs.close()
    }
    return { life, child, heard, close }
  }

  /** Checks that a victim's words were heard, and counts the messages that it may have held. */
  async #bury({ life, child, heard, close }: Victim): Promise<void> {
    await gone(child)
    this.kills++
    const hands = this.#books.hands(life.id)
    for (const { number, account } of this.#courses) account.inHands += hands[number] as number
    for (const end of await heard.ends) {
      const code = end.status === 'rejected' && end.reason.code
      if (code !== 'ERR_PEER_DIED') this.violations.push(`Pipe ${life.id}: ${JSON.stringify(end)}`)
    }
    const said = this.#books.said(life.id)[0] as number
    if (heard.number !== said && heard.number !== said + 1) {
      this.violations.push(`Pipe ${life.id}: ${said} were said, and ${heard.number} heard`)
    }
    close()
  }

  #listen(said: unknown): void {
    if (said !== 'ready' && said !== 'begun') this.violations.push(String(said))
  }

  /** Waits until messages were put into each queue and taken out since now. */
  async #survive(): Promise<void> {
    const began = performance.now()
    let waiting = this.#courses.flatMap(({ stream, number }) =>
      roles.map(role => {
        const completed = () => this.#books.completed(role)[number] as number
        // The first one may have begun before.
        return { stream, role, completed, enough: completed() + 2 }
      }),
    )
    while (!this.#isUsedUp && this.violations.length === 0) {
      waiting = waiting.filter(({ completed, enough }) => completed() < enough)
      if (waiting.length === 0) return
      if (performance.now() - began > HANG) {
        const stuck = waiting.map(({ stream, role }) => `${title(stream)}: no ${role} gets on`)
        this.violations.push(`${stuck.join('; ')} since ${this.kills} were killed`)
      }
      await pause(1)
    }
  }

  /**
   * Lets the survivors end, takes out what is left, and compares what came out with what was put
   * in.
   */
  async #finish({ stream, number, queue, account, ends }: Course): Promise<void> {
    let producersAreGone = false
    void ends.producer.then(() => {
      producersAreGone = true
    })
    // Without another consumer the producers wait for room.
    while (!producersAreGone) {
      if (!stream.survivors.includes('consumer')) this.#takeOut(number, queue)
      await pause(1)
    }
    if (stream.survivors.includes('consumer')) await putLast(queue)
    await ends.consumer
    this.#takeOut(number, queue)
    Object.assign(account, this.#books.ledgers[number]?.balance())
    for (const flaw of flawsOf(account, queue)) this.violations.push(`${title(stream)}: ${flaw}`)
  }

  #takeOut(number: number, queue: Made): void {
    const { unpack } = packingOf(queue.crossmem)
    for (const packed of drain(queue)) this.#books.ledgers[number]?.wasTaken(unpack(packed).id)
  }

  #close(): void {
    gc()
    const known = new Set([this.#books.name, ...this.#courses.map(({ queue }) => queue.name)])
    const left = list().filter(({ name }) => !known.has(name))
    if (left.length > 0)
      this.violations.push(`left behind: ${left.map(({ kind, name }) => `${kind} ${name}`)}`)
    for (const { queue } of this.#courses) queue.close()
    this.#books[Symbol.dispose]()
  }
}

function flawsOf(account: Account, queue: Made): string[] {
  const flaw = flawOf(queue)
  return [...imbalancesOf(account, queue), ...(flaw ? [flaw] : [])]
}

/** Where an account breaks the promise of its stream. */
export function imbalancesOf({ stream, put, lost, again, inHands }: Account, queue: Made): string[] {
  const isOnce = stream.promised === 'at most once'
  const failed = queue instanceof JoinableQueue && isOnce ? queue.failed : undefined
  const flaws = [
    put === 0 && 'nothing was put in',
    lost > (isOnce ? inHands : 0) &&
      `${lost} of ${put} are lost, ${inHands} may have been held by the killed`,
    isOnce && again > 0 && `${again} came twice`,
    again > inHands && `${again} came again, ${inHands} may have been held by the killed`,
    failed !== undefined && (failed < lost || failed > inHands) && `${failed} failed, ${lost} are lost`,
  ]
  return flaws.filter(flaw => typeof flaw === 'string')
}

/** An account as a line. */
export const describe = ({ stream, put, lost, again, inHands }: Account): string =>
  `${title(stream)}: ${put} put, ${lost} lost, ${again} again, ${inHands} perhaps held by the killed`
