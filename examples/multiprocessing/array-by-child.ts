// Numbers that a child increments, as in array-by-child.py.
import { Process, parentProcess, SharedArray } from 'crossmem'

export const increment = (numbers: SharedArray<'int32'>): void => {
  for (let i = 0; i < numbers.length; i++) numbers.add(i, 1)
}

async function main(): Promise<void> {
  using numbers = SharedArray.create(null, 'i', [10, 20, 30])
  await Process.start(__filename, { run: 'increment', args: [numbers] }).join()
  console.log(`[${numbers.toArray().join(', ')}]`)
}

if (!parentProcess()) void main()
