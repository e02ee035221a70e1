// A child that sends a subtotal through a pipe, as in subtotal-by-pipe.py.
import { Pipe, Process, parentProcess } from 'crossmem'

function sum(first: number, last: number): number {
  let total = 0
  for (let number = first; number < last; number++) total += number
  return total
}

export const addUp = (conn: Pipe<number>, first: number, last: number): Promise<void> =>
  conn.send(sum(first, last))

async function main(): Promise<void> {
  const [here, there] = Pipe.create<number>()
  const p = Process.start(__filename, { run: 'addUp', args: [there, 500, 1000] })
  there.close()
  console.log(`total ${sum(0, 500) + (await here.recv())}`)
  await p.join()
  here.close()
}

if (!parentProcess()) void main()
