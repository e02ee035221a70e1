import {
  type AnyHandle,
  Event,
  gc,
  list,
  type SharedMemory as Memory,
  MpmcQueue,
  Mutex,
  NDArray,
  open,
  SharedMemory,
} from 'crossmem'
import type { Actor, Deed } from './actor.js'
import type { Lane } from './lanes.js'

/** What all of them make, open and remove, under the same names. */
const contended: readonly ((name: string) => AnyHandle)[] = [
  name => SharedMemory.openOrCreate(name, 3000),
  name => Mutex.openOrCreate(name),
  name => MpmcQueue.openOrCreate(name, { capacity: 4, messageBytes: 64 }),
  name => NDArray.openOrCreate(name, { shape: [100] }),
  name => Event.openOrCreate(name),
]

/** Makes, opens, lists and removes objects without end. */
export class ChurnDeed implements Deed {
  readonly #actor: Actor
  readonly #lane: Lane
  #turn = 0

  constructor(actor: Actor, lane: Lane) {
    this.#actor = actor
    this.#lane = lane
  }

  async turn(): Promise<number> {
    const { below, id, life } = this.#actor
    using mine = SharedMemory.create(`${life.word}-${id}-${this.#turn++}`, 1 + below(20_000))
    mine.bytes.fill(id & 255)
    using again = SharedMemory.open(mine.name)
    this.#check(again)
    const contend = contended[below(contended.length)] as (name: string) => AnyHandle
    const name = `${life.word}-all-${contended.indexOf(contend)}`
    attempt(['ERR_NOT_FOUND'], () => {
      using handle = contend(name)
      if (below(3) === 0) handle.unlink()
    })
    attempt(['ERR_NOT_FOUND'], () => open(name)[Symbol.dispose]())
    if (below(8) === 0) this.#list(mine)
    // It times out while a stopped process holds the registry.
    if (below(16) === 0) attempt(['ERR_TIMEOUT'], gc)
    if (below(3) === 0) mine.unlink()
    return 1
  }

  close(): void {}

  #check({ bytes }: Memory): void {
    const wrong = bytes.findIndex(byte => byte !== (this.#actor.id & 255))
    if (wrong >= 0) this.#actor.report(this.#lane, `byte ${wrong} was changed by another process`)
  }

  #list({ name, byteLength }: Memory): void {
    const found = list().find(object => object.name === name)
    const isRight =
      found?.kind === 'SharedMemory' &&
      found.byteLength === byteLength &&
      found.present &&
      !found.doomed &&
      found.attached.some(({ pid, alive }) => pid === process.pid && alive)
    if (!isRight)
      this.#actor.report(this.#lane, `${name} of ${byteLength} is listed as ${JSON.stringify(found)}`)
  }
}

function attempt(expected: readonly string[], act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!expected.includes((error as { code?: string }).code ?? '')) throw error
  }
}
