import { CrossmemError } from '../errors.js'
import { type DType, dtypes } from '../nd/index.js'
import { show } from '../util/index.js'

const dtypeByCode = new Map(Object.values(dtypes).map(({ name, descr }) => [descr.slice(1), name]))

// Types that NumPy has and crossmem doesn't, by the letter of the type code.
const unsupported: Record<string, string> = {
  O: 'Python objects, which only Python can read',
  S: 'byte strings',
  a: 'byte strings',
  U: 'strings',
  T: 'strings',
  M: 'dates',
  m: 'time differences',
  V: 'structured or raw records',
}
const longDoubles = ['f12', 'f16', 'c24', 'c32']

/**
 * The dtype of an .npy header's `descr`. The byte order is `<` little, `>` big, `=` or none native,
 * `|` not applicable (https://numpy.org/doc/stable/reference/arrays.interface.html, "typestr").
 *
 * @throws {CrossmemError} ERR_UNSUPPORTED: crossmem has no such dtype. ERR_CORRUPT: `descr` is
 *   neither a string nor a list
 */
export function dtypeFromDescr(descr: unknown): DType {
  const fail = (why: string) =>
    new CrossmemError(
      'ERR_UNSUPPORTED',
      `dtype ${show(descr)} is not supported: ${why}; convert it with astype() first`,
    )

  if (Array.isArray(descr))
    throw new CrossmemError(
      'ERR_UNSUPPORTED',
      'a structured dtype is not supported: save its fields one by one',
    )
  if (typeof descr !== 'string')
    throw new CrossmemError('ERR_CORRUPT', `dtype ${show(descr)} is no type string`)
  const byteOrder = '<>=|'.includes(descr.charAt(0)) ? descr.charAt(0) : ''
  const code = descr.slice(byteOrder.length)
  const dtype = dtypeByCode.get(code)
  // One byte has no byte order, so '>u1' is as good as '|u1'.
  if (dtype && (byteOrder !== '>' || dtypes[dtype].itemBytes === 1)) return dtype
  if (dtype) throw fail(`it is big-endian, and crossmem shares memory in the machine's own order`)
  if (longDoubles.includes(code)) throw fail('JavaScript has no long double')
  const what = unsupported[code.charAt(0)]
  throw fail(what ? `it holds ${what}` : 'crossmem knows no such type')
}
