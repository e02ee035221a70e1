import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { FileLock } from 'crossmem'
import { unique } from './domain.js'
import { compiled } from './paths.js'

const run = promisify(execFile)
const folder = compiled('documented')

/**
 * Runs an example of the documentation as an ES module and returns what it prints. Examples use
 * short names, which all domains share, so one example runs at a time, whichever test file asks.
 */
export async function runExample(code: string): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${unique('example')}.mjs`)
  writeFileSync(file, code)
  using lock = FileLock.open(join(folder, 'lock'))
  using _held = await lock.lock()
  const { stdout } = await run(process.execPath, [file])
  return stdout
}
