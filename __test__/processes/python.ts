import type { ExecutionContext } from 'ava'
import { type Hired, type HireOptions, hire } from './hire.js'

/**
 * Runs `talk` with a Python that obeys, and sees it off: it must leave without a word of complaint.
 */
export async function withPython<Orders>(
  t: ExecutionContext,
  program: string,
  talk: (python: Hired<Orders>) => Promise<void>,
  options?: HireOptions,
): Promise<void> {
  const python = await hire<Orders>(program, { ...options, as: 'python' })
  try {
    await talk(python)
  } catch (error) {
    await python.kill()
    throw error
  }
  t.deepEqual(await python.leave(), { code: 0, signal: null, stderr: '' })
}
