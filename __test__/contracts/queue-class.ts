import { readdirSync, statSync } from 'node:fs'
import type { Message, SyncWaitOptions, WaitOptions } from 'crossmem'
import { type Distant, startPeer } from '../processes/peers.js'
import type { AnyObject } from './object.js'

/** A queue of many producers and consumers. */
export interface AnyQueue extends AnyObject {
  readonly size: number
  readonly isEmpty: boolean
  readonly isFull: boolean
  readonly isEnded: boolean
  readonly capacity: number
  readonly messageBytes: number
  readonly redeliver: boolean
  end(): void
  tryReceive(): Message<unknown> | undefined
  receive(wait?: WaitOptions): Promise<Message<unknown>>
  receiveSync(wait?: SyncWaitOptions): Message<unknown>
  [Symbol.asyncIterator](): AsyncGenerator<unknown, void, void>
}

export interface Options {
  capacity?: number
  messageBytes?: number
  redeliver?: boolean
}

/** A class of queues, and how its methods are called. */
export interface QueueClass {
  kind: string
  create(options?: Options): AnyQueue
  put: 'put' | 'push'
  get: 'get' | 'pop'
  /** The `i`th of many items. */
  item(i: number): unknown
  /** The most that it can be made for. Default: 4194304. */
  mostCapacity?: number
  /**
   * Whether it has records instead of messages, which are received and released. Default: false.
   */
  hasRecords?: boolean
  /** What was got is done with. */
  done?(queue: AnyQueue): void
}

interface Methods {
  put(item: unknown, wait?: WaitOptions): Promise<void>
  putSync(item: unknown, wait?: SyncWaitOptions): void
  tryPut(item: unknown): boolean
  putMany(items: unknown[], wait?: WaitOptions): Promise<void>
  putManySync(items: unknown[], wait?: SyncWaitOptions): void
  tryPutMany(items: unknown[]): number
  get(wait?: WaitOptions): Promise<unknown>
  getSync(wait?: SyncWaitOptions): unknown
  tryGet(): unknown
  getMany(max: number, wait?: WaitOptions): Promise<unknown[]>
  getManySync(max: number, wait?: SyncWaitOptions): unknown[]
  tryGetMany(max: number): unknown[]
}

/** What a class calls each of these methods. */
export function namesOf({ put, get }: QueueClass): Record<keyof Methods, string> {
  const tried = (name: string) => `try${name[0]?.toUpperCase()}${name.slice(1)}`
  return {
    put,
    putSync: `${put}Sync`,
    tryPut: tried(put),
    putMany: `${put}Many`,
    putManySync: `${put}ManySync`,
    tryPutMany: `${tried(put)}Many`,
    get,
    getSync: `${get}Sync`,
    tryGet: tried(get),
    getMany: `${get}Many`,
    getManySync: `${get}ManySync`,
    tryGetMany: `${tried(get)}Many`,
  }
}

/** A queue's methods by the names that a Queue has for them. */
export function methodsOf(Class: QueueClass, queue: AnyQueue): Methods {
  const methods = queue as unknown as Record<string, (...args: unknown[]) => unknown>
  const bound = Object.entries(namesOf(Class)).map(([name, theirs]) => [
    name,
    (...args: unknown[]) => methods[theirs]?.(...args),
  ])
  return Object.fromEntries(bound) as Methods
}

export const range = (length: number, from = 0): number[] => Array.from({ length }, (_, i) => from + i)

/** Waits at an empty queue until no memory is left that large messages had. */
export async function untilGivenBack(queue: {
  pop(options: { timeout: number }): Promise<unknown>
}): Promise<void> {
  while (spilledBytes() > 0) {
    const came = await queue.pop({ timeout: 50 }).catch(({ code }) => code)
    if (came !== 'ERR_TIMEOUT') throw new Error(`the queue was not empty: ${came}`)
  }
}

/** The bytes of memory that large messages of this domain take: those of its queues' arenas. */
export function spilledBytes(): number {
  const arenas = readdirSync('/dev/shm').filter(name => name.includes(`${process.env.CROSSMEM_DOMAIN}+`))
  return arenas.reduce((sum, name) => sum + 512 * statSync(`/dev/shm/${name}`).blocks, 0)
}

/** What calls that wait refuse. */
export const badWaits = [{ timeout: -1 }, { timeout: Number.NaN }, { timeout: '1' }]
/** What only asynchronous ones refuse, too. */
export const badAsyncWaits = [...badWaits, { signal: 1 }, { unref: 1 }]
/** What is no number of items. */
export const badCounts = [0, -1, 1.5, Number.NaN, '1', undefined, null]

/** Has something of the queue in another process, and is killed. */
export async function killHolder(
  t: { teardown(end: () => Promise<void>): void },
  queue: AnyQueue,
  hold: (far: Distant) => Promise<unknown>,
): Promise<void> {
  const there = await startPeer(t, 'process')
  await hold(await there.open(queue))
  await there.kill()
}
