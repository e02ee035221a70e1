import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'

/** A new folder, which goes with the test. */
export function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'crossmem-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}
