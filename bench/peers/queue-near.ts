// The near end of a queue: starts the far one, and measures what it is told to.
//   node queue-near.js TRANSPORT [OPTION]
// Says on one line of JSON what it uses, or what is missing. Each line that it gets is an order; its answer is a line:
// [ns, CPU ns] of a message, or [p50, p99, CPU ns] of a trip there and back.
import { createInterface } from 'node:readline'
import { lineOf, type Order, orderOf, ping, produce } from './queue-runs.js'
import { type Near, transports } from './queue-transports.js'

async function main(): Promise<void> {
  const [transport, option] = process.argv.slice(2) as [string, string | undefined]
  const near = await transports[transport]?.near(option)
  if (!near) throw new Error(`there is no ${transport}`)
  await near.far.answer()
  console.log(JSON.stringify({ version: near.version ?? '' }))
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await obey(near, orderOf(line))))
  }
  near.far.stop()
  near.stop?.()
}

async function obey({ end, far, othersCpu }: Near, order: Order): Promise<number[]> {
  far.tell(lineOf(order))
  await far.answer()
  const [before, othersBefore] = [process.cpuUsage(), await othersCpu?.()]
  // All processes of a machine have this clock.
  const start = Number(process.hrtime.bigint())
  const trips = order.kind === 'trips' ? await ping(end, order) : await produce(end, order)
  const [over, farCpu] = JSON.parse(await far.answer()) as [number, number]
  const { user, system } = process.cpuUsage(before)
  const others = ((await othersCpu?.()) ?? 0) - (othersBefore ?? 0)
  const cpu = ((user + system) * 1000 + farCpu + others) / order.count
  return [...(trips ?? [(over - start) / order.count]), cpu]
}

void main()
