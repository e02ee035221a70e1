// What MessagePack doesn't have is written as its byte 0xc1, which MessagePack never uses, and one
// of these tags.

/** Before each tag. */
export const ESCAPE = 0xc1

/** What follows each tag. A number is 32 bits, big-endian; `value` is any value. */
export const tags = {
  /** Nothing. */
  UNDEFINED: 0,
  /**
   * The number of an object that came before: objects count from 0, in the order of their first
   * bytes.
   */
  AGAIN: 1,
  /** Length in bytes, the bytes: a string with a lone surrogate. */
  UTF16: 2,
  /** 1 if negative, length, the bytes of its magnitude: a bigint of more than 64 bits. */
  BIGINT: 3,
  /** Milliseconds, as 8 bytes of a float64. */
  DATE: 4,
  /** Number of pairs, then key and value each. */
  MAP: 5,
  /** Number of values, the values. */
  SET: 6,
  /** The array's length, number of properties, then key and value each. */
  ARRAY: 7,
  /** Source and flags as values. */
  REGEXP: 8,
  /** The primitive value. */
  BOXED: 9,
  /** Length, the bytes. */
  BUFFER: 10,
  /** The index of the class in `views`, length in bytes, the bytes. */
  VIEW: 11,
  /**
   * The index of the class, then twice, for hidden and shown: number of properties, key and value
   * each.
   */
  ERROR: 12,
  /** Message and name as values, then as an error's properties. */
  EXCEPTION: 13,
  /**
   * The index of the class, as for a view, or one of `apart`; the number of the memory; offset and
   * length in bytes, as float64 each: the bytes lie outside of the message.
   */
  APART: 14,
} as const

/**
 * Behind `ESCAPE`, an object that has a structure: this plus the structure's number, and then the
 * values of its properties, in the structure's order.
 */
export const STRUCTURED = 0x40

/** The most structures of a queue. */
export const MOST_STRUCTURES = 64

/** What isn't in `views`, and can lie outside of the message, too. */
export const apart = { BUFFER: 0xfe, ARRAY_BUFFER: 0xff } as const

/** A view's class travels as its index. */
export const views = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
  'DataView',
] as const
