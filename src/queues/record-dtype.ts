import { CrossmemError } from '../errors.js'
import { recordQueueOffsets } from '../native/index.js'
import { checkUsable, type DTypeInfo, dtypeAs, dtypeInfo, type StructDType } from '../nd/index.js'
import { decodeNpyHeader, encodeNpyHeader } from '../npy/index.js'
import type { Segment } from '../objects/index.js'
import { show } from '../util/index.js'

const { DESCRIPTION_AT } = recordQueueOffsets

/** The properties of a dtype of records. */
export type RecordInfo = DTypeInfo<StructDType>

/**
 * The dtype of records that a user gives.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: it is none, or has no fields. ERR_UNSUPPORTED: it is
 *   big-endian
 */
export function recordDType(dtype: unknown): RecordInfo {
  const info = dtypeInfo(dtype as StructDType)
  if (info.fields) return info
  throw new CrossmemError(
    'ERR_INVALID_ARG',
    `the dtype of records is a list of fields, such as [['id', '<i8'], ['px', '<f8', [3]]], not ${show(dtype)}`,
  )
}

/** What a queue says of its records: the header of a .npy file with all its slots. */
export const describe = ({ name }: RecordInfo, capacity: number): Uint8Array =>
  encodeNpyHeader({ dtype: name, shape: [capacity] })

/** What the segment of a queue says of its records. */
export interface Description {
  info: RecordInfo
  /** Whether the segment alone doesn't say what all bytes mean. */
  isRaw: boolean
  recordsAt: number
}

/**
 * Reads the description from a private copy, since other processes may write to the segment
 * meanwhile.
 *
 * @param dtype what a user says that raw bytes are
 * @throws {CrossmemError} ERR_CORRUPT: the description isn't that of a queue with these numbers.
 *   ERR_INVALID_ARG, ERR_UNSUPPORTED: as `NDArray.open`
 */
export function readDescription(segment: Segment, params: number[], dtype?: unknown): Description {
  const [capacity = 0, recordBytes = 0, length = 0] = params
  const recordsAt = DESCRIPTION_AT + length
  const isInside = recordsAt + capacity * recordBytes <= segment.byteLength
  const found = isInside
    ? decodeNpyHeader(
        new Uint8Array(segment.buffer, DESCRIPTION_AT, length).slice(),
        segment.byteLength - DESCRIPTION_AT,
      )
    : undefined
  const isSound =
    found?.info.fields !== undefined &&
    found.info.itemBytes === recordBytes &&
    found.dataOffset === length &&
    found.shape.length === 1 &&
    found.size === capacity
  if (!isSound) {
    throw new CrossmemError(
      'ERR_CORRUPT',
      `what "${segment.name}" says of its records was overwritten; unlink it and create it again`,
    )
  }
  const info = checkUsable({ ...found, info: dtypeAs(found.info, dtype) }) as unknown as RecordInfo
  return { info, isRaw: found.info.raw !== undefined, recordsAt }
}
