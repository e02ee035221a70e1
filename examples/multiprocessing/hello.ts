// A function in another process, as in hello.py.
import { Process, parentProcess } from 'crossmem'

export const greet = (name: string): void => console.log(`hello ${name}`)

async function main(): Promise<void> {
  const p = Process.start(__filename, { run: 'greet', args: ['bob'] })
  await p.join()
  console.log(p.exitCode)
}

if (!parentProcess()) void main()
