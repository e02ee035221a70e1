import { fileURLToPath } from 'node:url'
import { CrossmemError } from '../errors.js'
import { show } from '../util/index.js'

/** Node reads and writes at most 2 GiB at once. */
export const CHUNK = 1 << 30

/** The path of a file. */
export function pathOf(path: string | URL): string {
  if (typeof path === 'string') return path
  try {
    return fileURLToPath(path)
  } catch (cause) {
    throw new CrossmemError('ERR_INVALID_ARG', `a path is a string or a file: URL, not ${show(path)}`, {
      cause,
    })
  }
}
