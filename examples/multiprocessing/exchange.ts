// Exchanging objects by a queue and by a pipe, as in exchange.py.
import { CrossmemError, Pipe, Process, parentProcess, Queue } from 'crossmem'

type Message = [number, null, string]

export const put = (queue: Queue<Message>): Promise<void> => queue.put([42, null, 'hello'])

export const send = async (conn: Pipe<Message>): Promise<void> => {
  await conn.send([42, null, 'hello'])
  conn.close()
}

async function main(): Promise<void> {
  const show = ([number, nothing, text]: Message): void => console.log(number, nothing ?? 'nothing', text)

  const queue = Queue.create<Message>(null)
  const putter = Process.start(__filename, { run: 'put', args: [queue] })
  show(await queue.get())
  await putter.join()
  queue.close()

  const [parentConn, childConn] = Pipe.create<Message>()
  const sender = Process.start(__filename, { run: 'send', args: [childConn] })
  childConn.close()
  show(await parentConn.recv())
  try {
    await parentConn.recv()
  } catch (error) {
    if (!(error instanceof CrossmemError) || error.code !== 'ERR_ENDED') throw error
    console.log('the end')
  }
  await sender.join()
  parentConn.close()
}

if (!parentProcess()) void main()
