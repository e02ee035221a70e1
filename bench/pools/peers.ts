import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Missing } from '../harness/missing.js'
import { type Program, startProgram } from '../harness/program.js'
import { python } from '../harness/python.js'
import { root } from '../harness/root.js'
import { POOL_KINDS, type PoolKind } from './kinds.js'
import { BOUND } from './terms.js'

/** A pool whose program was started, and waits for orders. */
export interface PoolPeer extends PoolKind {
  /** The nanoseconds that an order took; `null` for "never"; or why there are none. */
  ask(order: string): Promise<[number | null] | { failed: string }>
}

export interface PoolPeers extends AsyncDisposable {
  peers: PoolPeer[]
  missing: string[]
}

/** Starts the programs of all pools, each with so many workers. */
export async function startPools(workers: number): Promise<PoolPeers> {
  const started = await Promise.all(POOL_KINDS.map(kind => start(kind, workers)))
  const programs = started.flatMap(one => ('missing' in one ? [] : [one.program]))
  return {
    peers: started.flatMap(one => ('missing' in one ? [] : [one.peer])),
    missing: started.flatMap(one => ('missing' in one ? [one.missing] : [])),
    async [Symbol.asyncDispose]() {
      await Promise.all(programs.map(stop))
    },
  }
}

async function start(
  kind: PoolKind,
  workers: number,
): Promise<{ peer: PoolPeer; program: Program } | Missing> {
  const command = commandOf(kind)
  if ('missing' in command) return command
  const { first, program } = await startProgram<{ version: string }>(
    ...command.words,
    ...kind.program,
    String(workers),
  )
  const name = kind.name.replace('VERSION', command.version ?? first.version)
  return { program, peer: { ...kind, name, ask: order => bounded(program, order) } }
}

function commandOf({ language }: PoolKind): { words: [string, string]; version?: string } | Missing {
  if (language === 'Node') return { words: [process.execPath, join(__dirname, 'program.js')] }
  const found = python()
  if ('missing' in found) return found
  return { words: [found.path, join(root, 'bench', 'pools', 'pools.py')], version: found.version }
}

/** A program that is stuck, and all of its workers, are killed. */
async function bounded<Answer>(program: Program, order: string): Promise<Answer | { failed: string }> {
  const late = new AbortController()
  const answer = program.ask<Answer>(order)
  try {
    return await Promise.race([answer, sleep(2 * BOUND, 'late', { signal: late.signal }).then(stuck)])
  } finally {
    late.abort()
  }

  function stuck(): { failed: string } {
    answer.catch(() => undefined)
    program.kill()
    return { failed: `it was stuck for ${(2 * BOUND) / 1000} s` }
  }
}

/** Lets a program end by itself, and kills what is left of it, or the program if it is stuck. */
async function stop(program: Program): Promise<void> {
  const late = new AbortController()
  const lateness = sleep(BOUND / 10, undefined, { signal: late.signal }).catch(() => undefined)
  await Promise.race([program.stop(), lateness])
  late.abort()
  program.kill()
}
