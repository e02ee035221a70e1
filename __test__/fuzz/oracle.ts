import { getHeapStatistics } from 'node:v8'
import { CrossmemError } from 'crossmem'
import { CrossmemError as Inner } from '../../src/errors.js'

/** What a call may take, of memory. In bytes. */
const HUGE = 1 << 28

const builtIn = [Object.prototype, Array.prototype, Function.prototype, Map.prototype, Uint8Array.prototype]
const keys = () => builtIn.map(prototype => Reflect.ownKeys(prototype).length).join()
const sound = keys()

/**
 * The value of a call with bytes that any process may have written, or `undefined` when it refuses
 * them, as it should.
 *
 * @throws whatever must not come of it
 */
export function refusedOr<T>(call: () => T): T | undefined {
  const before = memory()
  let value: T | undefined
  try {
    value = call()
  } catch (error) {
    if (!isOurs(error)) throw error
  }
  if (keys() !== sound) throw new Error('what all objects inherit was changed')
  const taken = memory() - before
  if (taken > HUGE) throw new Error(`${taken} bytes of memory were taken`)
  return value
}

function memory(): number {
  const { total_heap_size, external_memory } = getHeapStatistics()
  return total_heap_size + external_memory
}

/**
 * The tests have two copies of the class: what people import, and what the tests of single files
 * do.
 */
function isOurs(error: unknown): boolean {
  return (error instanceof CrossmemError || error instanceof Inner) && /^ERR_[A-Z_]+$/.test(error.code)
}
