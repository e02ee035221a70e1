/** The part of proper-lockfile that the bench uses; the package has no types. */
export interface ProperLockfile {
  version: string
  lock(file: string, options: LockfileOptions): Promise<() => Promise<void>>
  lockSync(file: string, options: LockfileOptions): () => void
}

interface LockfileOptions {
  /** `false`: use the path as it is. */
  realpath: boolean
}

export function properLockfile(): ProperLockfile {
  const { version } = require('proper-lockfile/package.json') as { version: string }
  const { lock, lockSync } = require('proper-lockfile') as ProperLockfile
  return { version, lock, lockSync }
}
