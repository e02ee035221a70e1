// The near end of a queue: starts FAR far ends, and measures as it is ordered to.
//   node near.js TRANSPORT LARGEST FAR [OPTION]
// LARGEST is the size of the largest message, in bytes.
// Its first line is JSON: the version of the transport, or what is missing. Each line of input is
// an order, and the answer is a line of JSON: [ns, CPU ns] per message of a stream, [ns of each
// share, CPU ns] per round trip, or [ns] per gathered message.
import { createInterface } from 'node:readline'
import { cpuTime } from '../harness/cpu.js'
import type { Far } from './control.js'
import { lineOf, type Order, orderOf } from './order.js'
import { consume, ping, produce } from './runs.js'
import type { Near } from './transport.js'
import { transports } from './transports/all.js'

async function main(): Promise<void> {
  const [transport, largest, count, ...option] = process.argv.slice(2) as [string, string, string]
  const near = await transports[transport]?.near(Number(largest), ...option)
  if (!near) throw new Error(`unknown transport: ${transport}`)
  const fars: Far[] = []
  while (fars.length < Number(count)) fars.push(await started(near))
  console.log(JSON.stringify({ version: near.version ?? '' }))
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await obey(near, fars, orderOf(line))))
  }
  for (const far of fars) far.stop()
  near.stop?.()
}

async function started(near: Near): Promise<Far> {
  const far = await near.start()
  await far.answer()
  return far
}

async function obey(near: Near, fars: Far[], order: Order): Promise<number[]> {
  if (order.kind === 'gather') return gather(near, fars, order)
  const { end, othersCpu } = near
  const [far] = fars as [Far]
  far.tell(lineOf(order))
  await far.answer()
  const [before, othersBefore] = [cpuTime(), await othersCpu?.()]
  const start = now()
  const trips = order.kind === 'trips' ? await ping(end, order) : await produce(end, order)
  const [over, farCpu] = JSON.parse(await far.answer()) as [number, number]
  const own = cpuTime() - before
  const others = ((await othersCpu?.()) ?? 0) - (othersBefore ?? 0)
  const cpu = (own + farCpu + others) / order.count
  return [...(trips ?? [(over - start) / order.count]), cpu]
}

/** Each far end sends its part as soon as it gets the order. */
async function gather({ end }: Near, fars: Far[], order: Order): Promise<number[]> {
  const start = now()
  const count = order.count / fars.length
  for (const [i, far] of fars.entries()) far.tell(lineOf({ ...order, count, first: i * count }))
  await consume(end, order, fars.length)
  const over = now()
  // Each far end answers twice: when it begins, and when it is done.
  for (const far of fars) for (let said = 0; said < 2; said++) await far.answer()
  return [(over - start) / order.count]
}

/** The clock of all processes of a machine. */
const now = (): number => Number(process.hrtime.bigint())

void main()
