// Calls in a pool that are looked at later, as in apply-async.py.
import { Pool, parentProcess } from 'crossmem'

export const cube = (n: number): number => {
  if (n < 0) throw new RangeError(`${n} is negative`)
  return n ** 3
}

async function main(): Promise<void> {
  await using pool = new Pool<{ cube: typeof cube }>(__filename, { workers: 2 })
  const result = pool.apply('cube', [3])
  console.log(await result.get(60_000))
  console.log(result.ready() ? 'ready' : 'waiting')
  const failed = pool.apply('cube', [-1])
  await failed.wait()
  console.log(failed.successful() ? 'successful' : 'failed')
  try {
    await failed.get()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    console.log(error.message)
  }
}

if (!parentProcess()) void main()
