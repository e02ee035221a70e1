// A number that a child increments, as in count-by-child.py.
import { Process, parentProcess, Value } from 'crossmem'

export const count = (number: Value<'int32'>): void => {
  number.value += 1
}

async function main(): Promise<void> {
  using number = Value.create(null, 'i', 41)
  await Process.start(__filename, { run: 'count', args: [number] }).join()
  console.log(number.value)
}

if (!parentProcess()) void main()
