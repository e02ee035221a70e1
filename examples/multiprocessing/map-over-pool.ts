// A function of many numbers, by a pool of three workers, as in map-over-pool.py.
import { Pool, parentProcess } from 'crossmem'

export const cube = (n: number): number => n ** 3

async function main(): Promise<void> {
  const show = (numbers: number[]): void => console.log(`[${numbers.join(', ')}]`)
  const range = (length: number): number[] => Array.from({ length }, (_, i) => i)

  await using pool = new Pool<{ cube: typeof cube }>(__filename, { workers: 3 })
  show(await pool.map('cube', range(10)))
  for await (const n of pool.imap('cube', range(5), { chunkSize: 2 })) console.log(n)
  const cubes: number[] = []
  for await (const n of pool.imap('cube', range(5), { ordered: false })) cubes.push(n)
  show(cubes.toSorted((a, b) => a - b))
}

if (!parentProcess()) void main()
