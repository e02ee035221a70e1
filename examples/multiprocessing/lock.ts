// Ten processes that take turns by a lock, as in lock.py.
import { Mutex, Process, parentProcess, Value } from 'crossmem'

export const add = (lock: Mutex, total: Value<'int32'>, n: number): void => {
  using _held = lock.lockSync()
  const before = total.value
  total.value = before + n
  console.log(`hello world ${n}`)
}

async function main(): Promise<void> {
  const lock = Mutex.create(null)
  const total = Value.create(null, 'i', 0)
  const numbers = Array.from({ length: 10 }, (_, n) => n)
  const children = numbers.map(n => Process.start(__filename, { run: 'add', args: [lock, total, n] }))
  for (const p of children) await p.join()
  console.log(`total ${total.value}`)
  lock.close()
  total.close()
}

if (!parentProcess()) void main()
