import { CrossmemError } from '../errors.js'
import {
  type FieldDTypeOf,
  type FieldNameOf,
  NDView,
  type ScalarOf,
  type StorageOf,
  type StructDType,
} from '../nd/index.js'
import type { SharedObject } from '../objects/index.js'
import { dispose, type InspectionArguments, inspection, show, showAs, stays } from '../util/index.js'
import { copyColumn } from './record-columns.js'
import type { RecordInfo } from './record-dtype.js'
import type { RecordRing, Slots } from './record-ring.js'

/**
 * Records that lie side by side in a queue, as one record array: nothing is copied or decoded.
 * Other consumers wait until `release()`, which takes the records out. If this process dies before
 * that, the next consumer gets them again, whole.
 *
 * @example
 * ```js
 * import { RecordQueue } from 'crossmem'
 *
 * const ticks = RecordQueue.create(null, { dtype: [['id', '<i8'], ['px', '<f8']] })
 * ticks.putManySync({ id: BigInt64Array.of(1n, 2n), px: Float64Array.of(1.5, 2.5) })
 * const batch = ticks.getBatchSync(1024)
 * console.log(batch.length, batch.field('px').get(1)) // 2 2.5
 * console.log(batch.column('id')) // BigInt64Array(2) [ 1n, 2n ]
 * batch.release()
 * ticks.close()
 * ```
 */
export class RecordBatch<D extends StructDType = StructDType> implements Disposable {
  /** How many records it has. */
  readonly length: number
  /** The slot of the first record in the queue's ring. */
  readonly first: number
  readonly #object: SharedObject
  readonly #ring: RecordRing
  readonly #info: RecordInfo
  #records: NDView<D> | undefined
  #state: 'held' | 'released' | 'lost' = 'held'

  /** @internal */
  constructor(object: SharedObject, ring: RecordRing, info: RecordInfo, { first, count }: Slots) {
    this.length = count
    this.first = first
    this.#object = object
    this.#ring = ring
    this.#info = info
    object.held.add(this)
  }

  /**
   * The records as a one-dimensional view of the queue's memory, valid until `release()`.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: the batch was released, or its queue closed.
   *   ERR_DETACHED: the ArrayBuffer of an earlier view was transferred
   */
  get records(): NDView<D> {
    this.#check()
    this.#records ??= new NDView<D>({
      data: this.#bytes() as StorageOf<D>,
      dtype: this.#info.name as unknown as D,
      shape: [this.length],
    })
    return this.#records
  }

  /**
   * One field of all records, as a view of the queue's memory, valid until `release()`. The axes of
   * a field that is an array come last. See `NDView.field`.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: the records have no such field. Else as `records`
   */
  field<Name extends FieldNameOf<D>>(name: Name): NDView<FieldDTypeOf<D, Name>> {
    return this.records.field(name)
  }

  /**
   * A copy of one field of all records as a typed array without gaps: the elements of record 0,
   * then those of record 1. Byte strings and records inside are their bytes, strings their code
   * points. The copy stays valid.
   *
   * @throws {CrossmemError} as `field`
   */
  column<Name extends FieldNameOf<D>>(name: Name): StorageOf<FieldDTypeOf<D, Name>> {
    this.#check()
    const field = this.#info.fields?.get(name)
    if (field === undefined) {
      const names = [...(this.#info.fields?.keys() ?? [])].join(', ')
      throw new CrossmemError(
        'ERR_INVALID_ARG',
        `the records have no field ${show(name)}; their fields are ${names}`,
      )
    }
    return copyColumn(this.#bytes(), this.#info.itemBytes, field) as StorageOf<FieldDTypeOf<D, Name>>
  }

  /**
   * One record as an object.
   *
   * @throws {CrossmemError} ERR_OUT_OF_RANGE: it has no such record. Else as `records`
   */
  get(index: number): ScalarOf<D> {
    return this.records.get(index)
  }

  /**
   * Takes the records out: producers may overwrite their memory from now on, and the next consumer
   * gets what follows. Calling it again does nothing.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: the queue's handle was closed before, and the
   *   records stayed in the queue
   */
  release(): void {
    if (this.#state === 'lost') this.#check()
    this.#end('released', this.length)
  }

  /** Leaves the records in the queue, as the death of this process does. @internal */
  abandon(): void {
    this.#end('lost', 0)
  }

  /** Takes the records out at the end of a `using` block. */
  [dispose](): void {
    this.release()
  }

  /** Shows the number of records in `console.log`, and whether they were released. */
  [inspection](...how: InspectionArguments): string {
    const title = this.#state === 'held' ? 'RecordBatch' : 'RecordBatch (released)'
    return showAs(title, { length: this.length }, ...how)
  }

  #end(state: 'released' | 'lost', taken: number): void {
    if (this.#state !== 'held') return
    this.#state = state
    this.#object.held.delete(this)
    this.#ring.giveBack(taken)
    this.#object.serveWaiters()
  }

  #bytes(): Uint8Array {
    const { bytes, recordBytes } = this.#ring
    if (bytes.length === 0) void this.#object.segment.buffer
    return bytes.subarray(this.first * recordBytes, (this.first + this.length) * recordBytes)
  }

  #check(): void {
    if (this.#state === 'held') return
    throw new CrossmemError(
      'ERR_LOST_OWNERSHIP',
      this.#state === 'released'
        ? 'this batch was released: its records are no longer here'
        : `this batch of "${this.#object.name}" was given back: its handle was closed`,
    )
  }
}

stays(RecordBatch, 'a batch stays with its consumer; send its records: batch.records.toNested()')
