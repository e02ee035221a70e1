// The far end of a queue: receives what the near one sends, or sends it back.
import { isMainThread } from 'node:worker_threads'
import { near } from './queue-control.js'
import { consume, orderOf, pong } from './queue-runs.js'
import { transports } from './queue-transports.js'

async function main(): Promise<void> {
  const { transport, data } = near.start()
  const end = await transports[transport]?.far(data)
  if (!end) throw new Error(`there is no ${transport}`)
  near.onOrder(async line => {
    const order = orderOf(line)
    const before = process.cpuUsage()
    near.tell('ready')
    await (order.kind === 'stream' ? consume(end, order) : pong(end, order))
    const now = Number(process.hrtime.bigint())
    const { user, system } = process.cpuUsage(before)
    // A thread's time is its process's.
    near.tell(JSON.stringify([now, isMainThread ? (user + system) * 1000 : 0]))
  })
  near.tell('started')
}

void main()
