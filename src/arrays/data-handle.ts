import { CrossmemError } from '../errors.js'
import { LockHandle, type Locking, MutexCore } from '../locks/index.js'
import { nativeSegments, segmentOffsets } from '../native/index.js'
import { type DTypeInfo, type NumericDType, numericDTypes } from '../nd/index.js'
import { CREATE_OPTIONS, type CreateOptions, createObject, existsAs, type Segment } from '../objects/index.js'
import { checkBoolean, checkOptions, dispose, type OptionNames } from '../util/index.js'
import type { SyncWaitOptions } from '../wait/index.js'
import { refusePromise, type UpdateContext } from './update.js'

// What Value and SharedArray have in common: elements of one dtype, and a mutex.

/** Where the elements begin in a segment, in bytes. */
export const DATA_OFFSET = segmentOffsets.DATA

/** A segment stores a dtype as its index here plus 1, so this order must not change. */
const codes: readonly NumericDType[] = [
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
   * Whether the object has a lock, for `update`, `withLock` and the like. Without a lock these
   * throw ERR_UNSUPPORTED, and the object is like Python's `RawValue` or `RawArray`. Default: true.
   */
  lock?: boolean
}

const DATA_OPTIONS: OptionNames<DataOptions> = { ...CREATE_OPTIONS, lock: true }

/** The elements of a segment, as its header describes them. @internal */
export interface DataLayout<D extends NumericDType = NumericDType> {
  dtype: D
  /** Number of elements. */
  length: number
  hasLock: boolean
}

/** A layout from checked arguments. @internal */
export function layoutOf<D extends NumericDType>(
  dtype: D,
  length: number,
  options: DataOptions | undefined,
): DataLayout<D> {
  const { lock = true } = checkOptions(options, DATA_OPTIONS)
  return { dtype, length, hasLock: checkBoolean('lock', lock) }
}

/**
 * Creates the segment.
 *
 * @param contents the elements' bytes; zeros by default
 * @internal
 */
export function createData(
  kind: string,
  name: string | null,
  { dtype, length, hasLock }: DataLayout,
  options: DataOptions | undefined,
  contents?: Uint8Array,
): Segment {
  const params = [codes.indexOf(dtype) + 1, length, Number(hasLock)]
  const byteLength = length * numericDTypes[dtype].itemBytes
  return createObject(kind, name, options, params, { byteLength, contents })
}

/**
 * Reads the layout of an open segment. If that is unsound, closes the segment and throws.
 *
 * @internal
 */
export function readLayout(segment: Segment): DataLayout {
  const [code = 0, length = 0, lock] = nativeSegments.objectParams(segment.handle)
  const dtype = codes[code - 1]
  const isSound =
    dtype !== undefined &&
    segment.byteLength === DATA_OFFSET + length * numericDTypes[dtype].itemBytes &&
    (lock === 0 || lock === 1)
  if (isSound) return { dtype, length, hasLock: lock === 1 }
  segment.close()
  throw new CrossmemError(
    'ERR_CORRUPT',
    `the header of "${segment.name}" was overwritten; unlink it and create it again`,
  )
}

/** The elements of a Value or SharedArray, for people to read. */
export interface ElementsInfo {
  dtype: NumericDType
  length: number
  /** Of a Value, if its bytes are given: a number or a boolean, or as text what JSON can't have. */
  value?: number | boolean | string
}

/**
 * Describes the elements of a segment that isn't open here; `undefined` if its parameters were
 * overwritten.
 *
 * @internal
 */
export function elementsIn(params: readonly number[], number?: Uint8Array): ElementsInfo | undefined {
  const [code = 0, length = 0] = params
  const dtype = codes[code - 1]
  if (dtype === undefined) return undefined
  if (!number) return { dtype, length }
  const info: DTypeInfo<NumericDType> = numericDTypes[dtype]
  const value = info.read(new info.Storage(number.slice().buffer), 0)
  const isPlain = typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  return { dtype, length, value: isPlain ? value : info.print(value) }
}

/** A handle of elements of one dtype and their lock. */
export abstract class DataHandle<Kind extends string, D extends NumericDType> extends LockHandle<Kind> {
  /** The type of the elements. */
  readonly dtype: D
  /** Whether the object was created with a lock. */
  readonly hasLock: boolean

  /** @internal */
  protected constructor(segment: Segment, kind: Kind, layout: DataLayout<D>) {
    super(segment, kind, object => (layout.hasLock ? MutexCore.of(object) : noLock(object.name)))
    this.dtype = layout.dtype
    this.hasLock = layout.hasLock
  }

  /** Runs `change` with the lock held. If it succeeds, the data counts as whole. @internal */
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
      guard[dispose]()
    }
  }

  /** Returns this handle if its object is as `expected`; else closes it and throws. @internal */
  protected expect(expected: DataLayout, length: number): this {
    const found = describe({ dtype: this.dtype, length, hasLock: this.hasLock })
    if (found === describe(expected)) return this
    throw existsAs(this, `as ${found}, not ${describe(expected)}`)
  }
}

const describe = ({ dtype, length, hasLock }: DataLayout): string =>
  `${length} ${dtype} with${hasLock ? '' : 'out'} a lock`

const noLock = (name: string): Locking => {
  const refuse = (): never => {
    throw new CrossmemError(
      'ERR_UNSUPPORTED',
      `"${name}" was created with \`lock: false\`; create it with a lock, or use a Mutex beside it`,
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
