import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { threadId } from 'node:worker_threads'
import { CrossmemError } from '../errors.js'
import { domainGroup, domainName, nativeProcess } from '../native/index.js'
import type { Reference } from '../open.js'
import type { Checked } from './options.js'
import { sweep } from './sweep.js'

const program = join(__dirname, 'child.js')

/** Objects on their way to a child. */
export class Handover {
  readonly #handle: number
  /**
   * What the child inherits; `undefined` on Windows. If it is inherited, the child has the objects
   * as soon as it is there.
   */
  readonly descriptor: number | undefined
  /** The instance of the agent that has the objects on the way. */
  readonly sender: number

  /**
   * Opens the objects for the child.
   *
   * @throws {CrossmemError} as `open()`
   */
  constructor(references: Reference[]) {
    const objects = references.map(({ crossmem, name, end }: Reference & { end?: number }) => ({
      name,
      kind: crossmem,
      end,
    }))
    const state = nativeProcess.beginHandover(domainName(), domainGroup(), threadId, objects)
    this.#handle = state.handle
    this.descriptor = state.descriptor
    this.sender = state.instance
  }

  /** No child gets the objects. */
  cancel(): void {
    nativeProcess.endHandover(this.#handle, true)
  }

  /** The child has the objects. */
  end(): void {
    nativeProcess.endHandover(this.#handle, false)
  }

  /** The child is gone, and had not opened the objects. */
  giveBack(): void {
    this.end()
    sweep()
  }
}

/** Starts the runtime with our program. The child inherits a socket, and what is handed over. */
export function launch(
  { env, execArgv, stdio, cwd }: Checked,
  descriptor: number | undefined,
): { child: ChildProcess; socket: Duplex } {
  const streams = toList(stdio)
  const channelAt = streams.push('pipe') - 1
  const numbers = [channelAt]
  if (descriptor !== undefined) numbers.push(streams.push(descriptor) - 1)
  const args = [...execArgv, program, ...numbers.map(String)]
  try {
    const child = spawn(process.execPath, args, { env, cwd, stdio: streams, windowsHide: true })
    return { child, socket: child.stdio[channelAt] as Duplex }
  } catch (cause) {
    throw refusal(cause)
  }
}

type StreamList = Exclude<StdioOptions, string>

function toList(stdio: StdioOptions): StreamList {
  if (!Array.isArray(stdio)) return [stdio, stdio, stdio] as StreamList
  const list: StreamList = [...stdio]
  while (list.length < 3) list.push('pipe')
  return list
}

function refusal(cause: unknown): CrossmemError {
  const { code, message } = Object(cause) as { code?: unknown; message?: unknown }
  return code === 'ERR_ACCESS_DENIED'
    ? new CrossmemError(
        'ERR_PERMISSION',
        "Node's permission model keeps this process from starting another one; add --allow-child-process",
        { cause },
      )
    : new CrossmemError('ERR_INVALID_ARG', `the process can't be started: ${String(message)}`, { cause })
}

/** Why the system started no process. */
export function whyNotStarted(cause: NodeJS.ErrnoException, cwd: string | URL | undefined): CrossmemError {
  if (cause.code === 'ENOENT' && cwd !== undefined && !existsSync(cwd)) {
    return new CrossmemError(
      'ERR_NOT_FOUND',
      `the process can't be started: there is no directory ${String(cwd)}, its "cwd"`,
      { cause },
    )
  }
  return new CrossmemError('ERR_OS', `the process can't be started: ${cause.message}`, { cause })
}
