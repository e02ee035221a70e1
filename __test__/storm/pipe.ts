import { setTimeout as pause } from 'node:timers/promises'
import type { Pipe } from 'crossmem'
import type { Below } from '../helpers/random.js'

/** So small that some sentences go in parts. */
export const PIPE_BYTES = 512

/** A sentence of a pipe; every eighth one is long. */
export const sentence = (number: number): string => `${number} `.padEnd(number % 8 === 0 ? 700 : 16, '.')

/** Sends sentence after sentence, until it can't. */
export async function speak(pipe: Pipe<string>, below: Below, said: (number: number) => void): Promise<void> {
  for (let number = 1; ; number++) {
    await pipe.send(sentence(number))
    said(number)
    await pause(below(8))
  }
}

/** Receives sentence after sentence, each whole and in its turn, until it can't. */
export async function hear(pipe: Pipe<string>, heard: (number: number) => void): Promise<void> {
  for (let number = 1; ; number++) {
    const words = await pipe.recv()
    if (words !== sentence(number)) throw new Error(`heard "${words}" instead of number ${number}`)
    heard(number)
  }
}
