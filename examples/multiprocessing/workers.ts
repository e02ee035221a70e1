// Four workers with a queue of tasks and a queue of results, as in workers.py.
import { Process, parentProcess, Queue } from 'crossmem'

type Task = [op: '*' | '+', a: number, b: number]

const calculate = ([op, a, b]: Task): string => `${a} ${op} ${b} = ${op === '*' ? a * b : a + b}`

export const work = async (tasks: Queue<Task>, done: Queue<string>): Promise<void> => {
  for await (const task of tasks) await done.put(calculate(task))
}

async function main(): Promise<void> {
  const range = (length: number): number[] => Array.from({ length }, (_, i) => i)
  const todo: Task[] = [
    ...range(20).map((i): Task => ['*', i, 7]),
    ...range(10).map((i): Task => ['+', i, 8]),
  ]
  const [tasks, done] = [Queue.create<Task>(null), Queue.create<string>(null)]
  const workers = range(4).map(() => Process.start(__filename, { run: 'work', args: [tasks, done] }))
  for (const task of todo) await tasks.put(task)
  for (const _ of todo) console.log(await done.get())
  // In place of a 'STOP' for each worker.
  tasks.end()
  for (const p of workers) await p.join()
  console.log(`[${workers.map(({ exitCode }) => exitCode).join(', ')}]`)
  tasks.close()
  done.close()
}

if (!parentProcess()) void main()
