import type { ExecutionContext } from 'ava'
import { Process } from 'crossmem'
import { fixture } from '../helpers/paths.js'

/** The module whose functions tests run in processes. */
export const targets = fixture('process/targets')

/** Runs one of its functions in a process, which ends with the test at the latest. */
export function startTarget(
  t: ExecutionContext,
  run: string | undefined,
  args: unknown[] = [],
  options = {},
): Process {
  const child = Process.start(targets, { run, args, stdio: ['ignore', 'inherit', 'pipe'], ...options })
  t.teardown(() => child.kill())
  return child
}
