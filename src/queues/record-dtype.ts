import { CrossmemError } from '../errors.js'
import { nativeRecordQueues, nativeSegments, recordQueueOffsets } from '../native/index.js'
import { checkUsable, type DType, type DTypeInfo, dtypeAs, dtypeInfo, type StructDType } from '../nd/index.js'
import { decodeNpyHeader, encodeNpyHeader, type NpyHeader } from '../npy/index.js'
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
  capacity: number
  recordsAt: number
}

/**
 * Reads the description of a queue's records.
 *
 * @param dtype what a user says that raw bytes are
 * @throws {CrossmemError} ERR_CORRUPT: the description isn't that of a queue with these numbers.
 *   ERR_INVALID_ARG, ERR_UNSUPPORTED: as `NDArray.open`
 */
export function readDescription(segment: Segment, dtype?: unknown): Description {
  const found = readHeader(segment)
  const info = checkUsable({ ...found, info: dtypeAs(found.info, dtype) }) as unknown as RecordInfo
  const isRaw = found.info.raw !== undefined
  return { info, isRaw, capacity: found.size, recordsAt: DESCRIPTION_AT + found.dataOffset }
}

/** The records of a queue, for people to read. */
export interface RecordsInfo {
  /** `V2` is two bytes of which nothing is known. */
  dtype: DType
  /** How many there is room for, and how many there are. */
  capacity: number
  size: number
}

/**
 * What is said of the records in a segment.
 *
 * @throws {CrossmemError} ERR_CORRUPT
 */
export function recordsInfo(segment: Segment): RecordsInfo {
  const { info, size: capacity } = readHeader(segment)
  return { dtype: info.name, capacity, size: nativeRecordQueues.countRecords(segment.handle) }
}

/** Reads a private copy, since other processes may write to the segment meanwhile. */
function readHeader(segment: Segment): NpyHeader {
  const [capacity = 0, recordBytes = 0, length = 0] = nativeSegments.objectParams(segment.handle)
  const recordsAt = DESCRIPTION_AT + length
  const isInside = recordsAt + capacity * recordBytes <= segment.byteLength
  const found = isInside
    ? decodeNpyHeader(
        new Uint8Array(segment.buffer, DESCRIPTION_AT, length).slice(),
        segment.byteLength - DESCRIPTION_AT,
      )
    : undefined
  if (
    found?.info.fields !== undefined &&
    found.info.itemBytes === recordBytes &&
    found.dataOffset === length &&
    found.shape.length === 1 &&
    found.size === capacity
  )
    return found
  throw new CrossmemError(
    'ERR_CORRUPT',
    `what "${segment.name}" says of its records was overwritten; unlink it and create it again`,
  )
}
