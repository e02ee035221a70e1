import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'

/** Overwrites 4 bytes of an object's segment. Linux only. */
export function scribble(name: string, at: number, number: number): void {
  const file = openSync(`/dev/shm/${name}`, 'r+')
  writeSync(file, new Uint8Array(Uint32Array.of(number).buffer), 0, 4, at)
  closeSync(file)
}

/** The words of an object's segment. Linux only. */
export function wordsOf(name: string): Uint32Array {
  const bytes = Uint8Array.from(readFileSync(`/dev/shm/${name}`))
  return new Uint32Array(bytes.buffer, 0, bytes.length >> 2)
}
