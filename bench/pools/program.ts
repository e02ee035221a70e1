// A program that measures the pool of one package: program.js PACKAGE OPTION WORKERS
// Each line of input is an order, and the answer is a line of JSON:
//
// nothing COUNT   empty tasks, 64 in flight: [nanoseconds a task]
// map COUNT       the squares of so many numbers, by chunks: [nanoseconds in all]
// pass BYTES      one task with a Float64Array, which comes back: [nanoseconds]
// ready WORKERS   a new pool, until tasks run in all of its workers at once: [nanoseconds]
// death           a worker's death, until its caller knows: [nanoseconds], or [null] for "never"
//
// Instead of figures, { failed } says why there are none.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { types } from 'node:util'
import { nanoseconds } from '../harness/measure.js'
import { newDirectory } from '../harness/temporary.js'
import type { Package, Pool } from './pool.js'
import { BOUND, CHUNKS, CLOSED, IN_FLIGHT, NEVER } from './terms.js'

const [name, option, count] = process.argv.slice(2) as [string, string, string]
const workers = Number(count)

async function main(): Promise<void> {
  const { peer } = (await import(`./peers/${name}.js`)) as { peer: Package }
  answer({ version: peer.version })
  const pools = new Pools(peer)
  for await (const line of createInterface({ input: process.stdin })) answer(await figures(pools, line))
  // Some pools keep their program from ending.
  process.exit()
}

const answer = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`)

/** What an order measures. An order that doesn't end is given up. */
async function figures(pools: Pools, line: string): Promise<unknown> {
  const [order, size] = line.split(' ') as [keyof Pools, string]
  try {
    return await Promise.race([
      pools[order](Number(size)).then(figure => [figure]),
      sleep(BOUND, { failed: `nothing after ${BOUND / 1000} s` }, { ref: false }),
    ])
  } catch (error) {
    return { failed: (error as Error).message }
  }
}

class Pools {
  readonly #peer: Package
  #lasting?: Promise<Pool>
  #array = new Float64Array()

  constructor(peer: Package) {
    this.#peer = peer
  }

  async nothing(count: number): Promise<number> {
    const pool = await this.#pool()
    let left = count
    const one = async (): Promise<void> => {
      while (left-- > 0) await pool.run('nothing')
    }
    return (await timed(() => Promise.all(Array.from({ length: IN_FLIGHT }, one)))) / count
  }

  async map(count: number): Promise<number> {
    const pool = await this.#pool()
    const numbers = Array.from({ length: count }, (_, i) => i)
    let results: number[] = []
    const took = await timed(async () => {
      results = pool.map ? await pool.map(numbers) : await mapByHand(pool, numbers)
    })
    if (results.length !== count) throw new Error(`${results.length} squares of ${count} numbers`)
    const wrong = results.findIndex((result, i) => result !== i * i)
    if (wrong >= 0) throw new Error(`the square of ${wrong} came as ${results[wrong]}`)
    return took
  }

  async pass(bytes: number): Promise<number> {
    const pool = await this.#pool()
    if (this.#array.byteLength !== bytes) this.#array = new Float64Array(bytes / 8).fill(1)
    const { length } = this.#array
    const expected = (this.#array[length - 1] as number) + 1
    let came: unknown
    const took = await timed(async () => {
      came = await pool.run('pass', this.#array)
    })
    if (!types.isFloat64Array(came)) throw new Error('a Float64Array came as something else')
    if (came.length !== length || came[length - 1] !== expected)
      throw new Error('the array that came is not what was sent')
    if (pool.passesOn) this.#array = came as Float64Array<ArrayBuffer>
    return took
  }

  async ready(workers: number): Promise<number> {
    const folder = newDirectory()
    let pool: Pool | undefined
    const took = await timed(async () => {
      const opened = await this.#peer.start(workers, option)
      pool = opened
      await Promise.all(Array.from({ length: workers }, () => opened.run('meet', { folder, workers })))
    })
    if (pool) await closed(pool)
    rmSync(folder, { recursive: true })
    return took
  }

  async death(): Promise<number | null> {
    const folder = newDirectory()
    const file = join(folder, 'time')
    const pool = await this.#peer.start(1, option)
    await pool.run('nothing')
    const known = pool.run('die', file).then(
      () => 'returned',
      () => process.hrtime.bigint(),
    )
    const when = await Promise.race([known, sleep(NEVER)])
    if (when === 'returned') throw new Error('the task of a dead worker returned')
    const died = BigInt(readFileSync(file, 'utf8'))
    rmSync(folder, { recursive: true })
    await closed(pool)
    return typeof when === 'bigint' ? Number(when - died) : null
  }

  /** A pool that lasts as long as this program. */
  #pool(): Promise<Pool> {
    this.#lasting ??= Promise.resolve(this.#peer.start(workers, option))
    return this.#lasting
  }
}

async function timed(deed: () => Promise<unknown>): Promise<number> {
  const start = nanoseconds()
  await deed()
  return nanoseconds() - start
}

/** For pools that have no map: chunks as Python's Pool makes them. */
async function mapByHand(pool: Pool, numbers: number[]): Promise<number[]> {
  const size = Math.ceil(numbers.length / (workers * CHUNKS))
  const chunks: Promise<unknown>[] = []
  for (let at = 0; at < numbers.length; at += size) {
    chunks.push(pool.run('squares', numbers.slice(at, at + size)))
  }
  return ((await Promise.all(chunks)) as number[][]).flat()
}

/** Some pools can't always be closed. */
async function closed(pool: Pool): Promise<void> {
  const close = async (): Promise<unknown> => pool.close()
  await Promise.race([close().catch(() => undefined), sleep(CLOSED)])
}

void main()
