import { CrossmemError } from '../errors.js'
import { LockHandle, type Locking, MutexCore } from '../locks/index.js'
import { nativeSegments } from '../native/index.js'
import { type DType, dtypes } from '../nd/index.js'
import { type CreateOptions, createObject, existsAs, type Segment } from '../objects/index.js'
import { checkBoolean } from '../util/index.js'
import type { SyncWaitOptions } from '../wait/index.js'
import { refusePromise, type UpdateContext } from './update.js'

// Values and arrays: elements of one dtype behind the mutex of their segment.

/** Where the elements begin, in bytes: the core's `DATA_OFFSET`. */
export const DATA_OFFSET = 256

/** Segments name a dtype by its place here, from 1 on, so that none may move. */
const codes: readonly DType[] = [
  'bool',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float16',
  'float32',
  'float64',
  'complex64',
  'complex128',
]

/** How to make a value or an array. */
export interface DataOptions extends CreateOptions {
  /**
   * Whether it has a lock, for `update`, `withLock` and the like. Without one these throw ERR_UNSUPPORTED, as with Python's
   * `RawValue` and `RawArray`. Default: true.
   */
  lock?: boolean
}

/** What the segment says of its elements. @internal */
export interface DataLayout<D extends DType = DType> {
  dtype: D
  /** Number of elements. */
  length: number
  hasLock: boolean
}

/** What is to be made, checked. @internal */
export function layoutOf<D extends DType>(
  dtype: D,
  length: number,
  options: DataOptions | undefined,
): DataLayout<D> {
  const hasLock = checkBoolean('lock', options?.lock ?? true)
  return { dtype, length, hasLock }
}

/** @param contents the elements' bytes; zeros when left out @internal */
export function createData(
  kind: string,
  name: string | null,
  { dtype, length, hasLock }: DataLayout,
  options: DataOptions | undefined,
  contents?: Uint8Array,
): Segment {
  const params = [codes.indexOf(dtype) + 1, length, Number(hasLock)]
  const byteLength = length * dtypes[dtype].itemBytes
  return createObject(kind, name, options, params, { byteLength, contents })
}

/** Reads the layout of a segment that was opened, or closes it. @internal */
export function readLayout(segment: Segment): DataLayout {
  const [code = 0, length = 0, lock] = nativeSegments.objectParams(segment.handle)
  const dtype = codes[code - 1]
  const isSound =
    dtype !== undefined &&
    segment.byteLength === DATA_OFFSET + length * dtypes[dtype].itemBytes &&
    (lock === 0 || lock === 1)
  if (isSound) return { dtype, length, hasLock: lock === 1 }
  segment.close()
  throw new CrossmemError(
    'ERR_CORRUPT',
    `the header of "${segment.name}" was overwritten; unlink it and make it anew`,
  )
}

/** A handle of elements and their lock. */
export abstract class DataHandle<Kind extends string, D extends DType> extends LockHandle<Kind> {
  readonly dtype: D
  /** Whether it was made with a lock. */
  readonly hasLock: boolean

  /** @internal */
  protected constructor(segment: Segment, kind: Kind, layout: DataLayout<D>) {
    super(segment, kind, object => (layout.hasLock ? MutexCore.of(object) : noLock(object.name)))
    this.dtype = layout.dtype
    this.hasLock = layout.hasLock
  }

  /** Runs `change` under the lock; when it succeeds, the data counts as whole. @internal */
  protected changeLocked<Result>(
    change: (context: UpdateContext) => Result,
    options: SyncWaitOptions | undefined,
  ): Result {
    const guard = this.lockSync(options)
    try {
      const result = change({ ownerDied: guard.ownerDied })
      refusePromise(result)
      if (guard.ownerDied) guard.markConsistent()
      return result
    } finally {
      guard[Symbol.dispose]()
    }
  }

  /** Closes a handle that was opened where something else was wanted. @internal */
  protected expect(wanted: DataLayout, length: number): this {
    const found = describe({ dtype: this.dtype, length, hasLock: this.hasLock })
    if (found === describe(wanted)) return this
    throw existsAs(this, `as ${found}, not ${describe(wanted)}`)
  }
}

const describe = ({ dtype, length, hasLock }: DataLayout): string =>
  `${length} ${dtype} with${hasLock ? '' : 'out'} a lock`

const noLock = (name: string): Locking => {
  const refuse = (): never => {
    throw new CrossmemError(
      'ERR_UNSUPPORTED',
      `"${name}" was made with \`lock: false\`; make it with a lock, or use a Mutex beside it`,
    )
  }
  return {
    lock: refuse,
    lockSync: refuse,
    tryLock: refuse,
    get guard() {
      return refuse()
    },
  }
}
