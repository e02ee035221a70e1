import { Segment } from '../objects/index.js'
import type { Reference } from '../open.js'
import { Handover, pack } from '../process/index.js'
import type { Carried } from './job.js'
import type { Wire } from './messages.js'
import { isLarge, plainWire } from './wire.js'

/** A list of values for a worker, whose objects live until they have arrived. */
export class Parcel implements Carried {
  readonly wire: Wire
  readonly sender: number | null
  readonly #segments: Segment[] = []
  #handover: Handover | undefined
  #releaseArrays: () => void = () => undefined

  /**
   * @param share whether large arrays travel in shared memory
   * @throws {CrossmemError} ERR_INVALID_ARG: a value can't be sent. Else as `open()`
   */
  constructor(list: readonly unknown[], share: boolean) {
    const plain = plainWire(list)
    const isApart = share && isLarge(plain)
    if (plain && !isApart) {
      this.wire = plain
      this.sender = null
      return
    }
    const { bytes, objects, release } = pack(isApart ? plain : list, { share, what: 'args' })
    this.wire = bytes
    this.#releaseArrays = release
    const ends = objects.filter(isEnd)
    try {
      for (const { name, crossmem } of objects) this.#segments.push(Segment.open(name, crossmem))
      if (ends.length > 0) this.#handover = new Handover(ends)
    } catch (error) {
      this.release()
      throw error
    }
    this.sender = this.#handover?.sender ?? null
  }

  /** The worker has the objects, or none will get them: then the other end of a pipe is told. */
  release(): void {
    for (const segment of this.#segments.splice(0)) segment.close()
    this.#releaseArrays()
    this.#handover?.giveBack()
    this.#handover = undefined
  }
}

const isEnd = (reference: Reference): boolean => 'end' in reference
