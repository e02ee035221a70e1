import { CrossmemError } from '../errors.js'
import { type Descr, pythonString, type ReadDType, readDType } from '../nd/index.js'
import { type PythonLiteral, PythonTuple } from './python-literal.js'

/**
 * Reads an .npy header's `descr`: a type string, or a list of fields as tuples.
 *
 * @throws {CrossmemError} ERR_UNSUPPORTED: crossmem has no such dtype. ERR_CORRUPT: it describes
 *   no dtype
 */
export function readDescr(descr: PythonLiteral): ReadDType {
  if (descr instanceof PythonTuple)
    throw new CrossmemError(
      'ERR_UNSUPPORTED',
      "an array of arrays as the elements' dtype is not supported; NumPy's save() never writes one",
    )
  return readDType(toPlain(descr))
}

/** Lists and tuples as arrays, integers as numbers. */
function toPlain(literal: PythonLiteral): unknown {
  if (literal instanceof PythonTuple) return literal.items.map(toPlain)
  if (Array.isArray(literal)) return literal.map(toPlain)
  return typeof literal === 'bigint' ? Number(literal) : literal
}

/** A `descr` as Python prints it. */
export function printDescr(descr: Descr): string {
  if (typeof descr === 'string') return pythonString(descr)
  const fields = descr.map(([label, inner, shape]) => {
    const name = typeof label === 'string' ? pythonString(label) : printTuple(label.map(pythonString))
    return printTuple([name, printDescr(inner), ...(shape ? [printTuple(shape.map(String))] : [])])
  })
  return `[${fields.join(', ')}]`
}

/** A tuple as Python prints it: that of one item ends in a comma. */
export const printTuple = (items: readonly string[]): string =>
  items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`
