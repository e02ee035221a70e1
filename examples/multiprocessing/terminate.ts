// A process that is ended by another one, as in terminate.py.
import { Event, Process, parentProcess } from 'crossmem'

export const wait = async (started: Event): Promise<void> => {
  started.set()
  await new Promise(resolve => setTimeout(resolve, 1_000_000))
}

async function main(): Promise<void> {
  const started = Event.create(null)
  const p = Process.start(__filename, { run: 'wait', args: [started] })
  await started.wait()
  console.log(p.isAlive ? 'alive' : 'gone')
  p.terminate()
  await p.join()
  console.log(p.isAlive ? 'alive' : 'gone')
  console.log(p.signal)
  started.close()
}

if (!parentProcess()) void main()
