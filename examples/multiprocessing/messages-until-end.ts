// Two processes on a pipe, until one of them says END, as in messages-until-end.py.
import { Pipe, Process, parentProcess } from 'crossmem'

export const talk = async (mouth: Pipe<string>): Promise<void> => {
  for (const word of ['one', 'two', 'three', 'END']) await mouth.send(word)
}

export const listen = async (ear: Pipe<string>): Promise<void> => {
  for (;;) {
    const word = await ear.recv()
    if (word === 'END') return
    console.log(`heard ${word}`)
  }
}

async function main(): Promise<void> {
  const [ear, mouth] = Pipe.create<string>({ duplex: false })
  const children = [
    Process.start(__filename, { run: 'talk', args: [mouth] }),
    Process.start(__filename, { run: 'listen', args: [ear] }),
  ]
  // Each end is its child's now.
  ear.close()
  mouth.close()
  for (const p of children) await p.join()
  console.log(`[${children.map(({ exitCode }) => exitCode).join(', ')}]`)
}

if (!parentProcess()) void main()
