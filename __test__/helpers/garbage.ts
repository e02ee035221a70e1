import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { list } from 'crossmem'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Collects garbage, again and again, until that holds. */
export async function collectUntil(holds: () => boolean): Promise<void> {
  while (!holds()) {
    collect()
    await new Promise(setImmediate)
  }
}

/** The names of all objects of this domain. */
export const names = (): string[] => list().map(({ name }) => name)
