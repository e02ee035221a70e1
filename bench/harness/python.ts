import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Missing } from './missing.js'
import { type Program, startProgram } from './program.js'
import { root } from './root.js'

/** The Python of the tests. */
export interface Python {
  version: string
  /** The interpreter. */
  path: string
}

export function python(): Python | Missing {
  const asked = spawnSync(process.execPath, [join(root, 'scripts', 'python.mjs'), '--json'], {
    encoding: 'utf8',
  })
  if (asked.status !== 0) throw new Error(`scripts/python.mjs failed: ${asked.error ?? asked.stderr}`)
  const found = JSON.parse(asked.stdout) as { path: string | null; version: string; reason: string }
  const { path } = found
  if (path === null) return { missing: `Python: ${found.reason}` }
  return { version: `Python ${found.version}`, path }
}

/** A program of bench/ in Python that was started, and waits for orders. */
export type PythonProgram = Python & Program & AsyncDisposable

export async function startPython(path: string): Promise<PythonProgram | (Missing & AsyncDisposable)> {
  const found = python()
  if ('missing' in found) return { ...found, async [Symbol.asyncDispose]() {} }
  const { program } = await startProgram(found.path, join(root, 'bench', path))
  return { ...found, ...program, [Symbol.asyncDispose]: program.stop }
}
