import { closeSync, openSync, writeSync } from 'node:fs'

/** Overwrites 4 bytes of an object's segment. Linux only. */
export function scribble(name: string, at: number, number: number): void {
  const file = openSync(`/dev/shm/${name}`, 'r+')
  writeSync(file, Uint8Array.of(number, 0, 0, 0), 0, 4, at)
  closeSync(file)
}
