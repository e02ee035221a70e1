// A number that nine children increment 50 times each, as in count-by-nine.py.
import { Process, parentProcess, Value } from 'crossmem'

export const count = (number: Value<'int32'>): void => {
  for (let i = 0; i < 50; i++) number.add(1)
}

async function main(): Promise<void> {
  using number = Value.create(null, 'i', 0)
  const start = (): Process => Process.start(__filename, { run: 'count', args: [number] })
  for (const p of Array.from({ length: 9 }, start)) await p.join()
  console.log(number.value)
}

if (!parentProcess()) void main()
