import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A name that nothing else on this machine has. */
export const uniqueName = (): string => `bench-${randomBytes(6).toString('hex')}`

export const newDirectory = (parent = tmpdir()): string => mkdtempSync(join(parent, 'bench-'))

/** A new directory whose files are in memory, where the system has /dev/shm. */
export const newDirectoryInMemory = (): string =>
  newDirectory(existsSync('/dev/shm') ? '/dev/shm' : undefined)
