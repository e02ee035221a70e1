// The far end of a queue: receives the near end's messages, sends them back, or sends its own.
import { isMainThread } from 'node:worker_threads'
import { cpuTime } from '../harness/cpu.js'
import { near } from './control.js'
import { orderOf } from './order.js'
import { consume, pong, produce } from './runs.js'
import { transports } from './transports/all.js'

async function main(): Promise<void> {
  const { transport, data } = near.start()
  const end = await transports[transport]?.far(data)
  if (!end) throw new Error(`unknown transport: ${transport}`)
  near.onOrder(async line => {
    const order = orderOf(line)
    const before = cpuTime()
    near.tell('ready')
    await deeds[order.kind](end, order)
    const now = Number(process.hrtime.bigint())
    // The near end counts the CPU time of a far thread with its own.
    near.tell(JSON.stringify([now, isMainThread ? cpuTime() - before : 0]))
  })
  near.tell('started')
}

const deeds = { stream: consume, trips: pong, gather: produce }

void main()
