// Five children that put subtotals into a queue, and then 'exit', as in subtotals-until-exit.py.
import { Process, parentProcess, Queue } from 'crossmem'

export const addUp = async (subtotals: Queue<number | 'exit'>, child: number): Promise<void> => {
  let subtotal = 0
  for (let i = 0; i < 100; i++) subtotal += 100 * child + i
  await subtotals.put(subtotal)
  await subtotals.put('exit')
}

async function main(): Promise<void> {
  using subtotals = Queue.create<number | 'exit'>(null)
  const start = (_: unknown, child: number) =>
    Process.start(__filename, { run: 'addUp', args: [subtotals, child] })
  const children = Array.from({ length: 5 }, start)
  let total = 0
  for (let exits = 0; exits < children.length; ) {
    const message = await subtotals.get()
    if (message === 'exit') exits++
    else {
      console.log(`subtotal ${message}`)
      total += message
    }
  }
  console.log(`total ${total}`)
  for (const p of children) await p.join()
}

if (!parentProcess()) void main()
