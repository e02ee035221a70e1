// What a process that `Process.start` started runs: it gets its orders from its parent.

import { closeSync, writeSync } from 'node:fs'
import { connect, Socket } from 'node:net'
import { CrossmemError } from '../errors.js'
import { domainGroup, domainName, nativeProcess } from '../native/index.js'
import type { AnyHandle } from '../open.js'
// Pools and objects of managers among the arguments arrive open.
import '../managed.js'
import '../pool/index.js'
import { Channel } from './channel.js'
import { abortSignal, isKept } from './current.js'
import { unpack } from './handles.js'
import type { News, Order } from './messages.js'
import { load } from './module.js'
import { packError, packResult } from './outcome.js'
import { sweep } from './sweep.js'

type Start = Extract<Order, { do: 'start' }>

// Programs shall not see what is meant for this file.
const [channelAt, handoverAt] = process.argv.splice(2).map(Number)
const channel = new Channel<News, Order>(inherited(channelAt as number), obey)
let endHolding: () => void = () => undefined
const released = new Promise<void>(resolve => {
  endHolding = resolve
})
let hasStarted = false
let hasToldResult = false

void channel.closed.then(() => {
  endHolding()
  if (hasStarted) return
  writeSync(2, 'crossmem: the parent of this process ended before it had sent the arguments\n')
  process.exit(1)
})

function inherited(fd: number): Socket {
  // A Socket of Bun that is made with a descriptor doesn't read from it.
  return 'bun' in process.versions ? connect({ fd } as never) : new Socket({ fd })
}

function obey(order: Order): void {
  if (order.do === 'start') {
    hasStarted = true
    // From here on only the program keeps this process alive.
    channel.keep(false)
    void start(order)
  } else if (order.do === 'release') endHolding()
  // A program that doesn't know the signal can't act on it.
  else if (!abortSignal()) process.kill(process.pid, 'SIGTERM')
}

/** A rejection ends this process with its stack, as an error anywhere else does. */
async function start({ description, target, args, sender, share }: Start): Promise<void> {
  const { name, isDaemon, parent } = description
  nativeProcess.describeProcess(JSON.stringify(description))
  process.on('uncaughtExceptionMonitor', error => {
    writeSync(2, `Process ${name}:\n`)
    void tellFailure(error)
  })
  let handles: AnyHandle[] = []
  try {
    if (isDaemon)
      nativeProcess.endWith(domainName(), domainGroup(), parent.agent, parent.pid, parent.isMainThread)
    const taken = take(args, sender)
    handles = taken.handles
    void channel.send({ is: 'started' })
    await tellResult(await call(target, taken.args), share)
  } catch (error) {
    await tellFailure(error)
    throw error
  } finally {
    for (const handle of handles) if (!isKept(handle)) handle.close()
  }
}

/** Opens what is in the arguments. From then on, this process's own agent has it open. */
function take(bytes: Uint8Array, sender: number | undefined): { args: unknown[]; handles: AnyHandle[] } {
  const { value, handles } = unpack(bytes, sender)
  if (handoverAt !== undefined) {
    // The agent that had the objects until now.
    closeSync(handoverAt)
    sweep()
  }
  return { args: value as unknown[], handles }
}

async function call(target: Start['target'], args: unknown[]): Promise<unknown> {
  const run = await load(target)
  // The function alone has the arguments, so that large arrays can be collected while it runs.
  if (run) return run(...args.splice(0))
  if (args.length === 0) return undefined
  throw new CrossmemError(
    'ERR_INVALID_ARG',
    `${target.module} has no default export that is a function, so nothing takes the arguments; name an export in "run"`,
  )
}

async function tellResult(value: unknown, share: boolean): Promise<void> {
  const { bytes, references, release } = packResult(value, share)
  hasToldResult = true
  await channel.send({ is: 'returned', value: bytes })
  if (references.length === 0) return
  // The objects must not go before the parent has opened them.
  channel.keep(true)
  await released
  release()
  channel.keep(false)
}

async function tellFailure(error: unknown): Promise<void> {
  if (hasToldResult) return
  hasToldResult = true
  await channel.send({ is: 'failed', error: packError(error) })
}
