import type { ExecutionContext } from 'ava'
import { Pool, type PoolOptions } from 'crossmem'
import { fixture } from '../helpers/paths.js'

type Work = typeof import('../fixtures/pool/work.js')

/** A pool over `fixtures/pool/work.ts`, which ends with the test. */
export function poolFor(t: ExecutionContext, options?: PoolOptions): Pool<Work> {
  const pool = new Pool<Work>(fixture('pool/work'), { workers: 2, ...options })
  t.teardown(() => pool.terminate())
  return pool
}
