// What the workers of all pools run. A task takes one argument: not all pools pass several.
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, threadId } from 'node:worker_threads'
import type { SharedArray } from 'crossmem'

export const nothing = (): void => {}

export const square = (number: number): number => number * number

export const squares = (numbers: number[]): number[] => numbers.map(square)

/** Changes both ends of an array, and returns it. */
export function pass(array: Float64Array): Float64Array {
  ;(array[0] as number)++
  ;(array[array.length - 1] as number)++
  return array
}

/** As `pass`, with an array of crossmem's. */
export const passShared = ({ data }: SharedArray<'float64'>): void => void pass(data)

/** Waits until tasks run in so many workers at once. */
export async function meet({ folder, workers }: { folder: string; workers: number }): Promise<void> {
  writeFileSync(join(folder, `${process.pid}-${threadId}`), '')
  while (readdirSync(folder).length < workers) await sleep(1)
}

/** Writes the time, which all processes of a machine share, and ends its worker. */
export function die(file: string): void {
  writeFileSync(file, String(process.hrtime.bigint()))
  if (isMainThread) process.kill(process.pid, 'SIGKILL')
  else process.exit(1)
}

/** The tasks by their names. */
export const tasks = { nothing, squares, pass, meet, die }

export type TaskName = keyof typeof tasks
