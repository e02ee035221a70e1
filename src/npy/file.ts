import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { CrossmemError } from '../errors.js'
import { decodeNpyHeader, LONGEST_HEADER, type NpyHeader } from './header.js'

/** Node reads at most 2 GiB at once. */
const CHUNK = 1 << 30

/** Reads a .npy file. The header is checked against the file's size before the data is read. */
export async function readNpy(path: string | URL): Promise<{ header: NpyHeader; data: Uint8Array }> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const start = await fill(new Uint8Array(Math.min(size, LONGEST_HEADER)), 0)
    const header = decodeNpyHeader(start, size)
    return { header, data: await fill(new Uint8Array(header.dataBytes), header.dataOffset) }
  } finally {
    await file.close()
  }

  async function fill(into: Uint8Array<ArrayBuffer>, position: number): Promise<Uint8Array<ArrayBuffer>> {
    let done = 0
    while (done < into.length) {
      const { bytesRead } = await file.read(into, done, Math.min(CHUNK, into.length - done), position + done)
      if (bytesRead === 0) {
        throw new CrossmemError(
          'ERR_CORRUPT',
          `${path} shrank while it was read: try again when its writer is done`,
        )
      }
      done += bytesRead
    }
    return into
  }
}

/** Writes a .npy file under a temporary name beside `path`, and renames it when it is whole. */
export async function writeNpy(path: string | URL, header: Uint8Array, data: Uint8Array): Promise<void> {
  const target = path instanceof URL ? fileURLToPath(path) : path
  const temporary = `${target}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(header)
      for (let done = 0; done < data.length; done += CHUNK)
        await file.writeFile(data.subarray(done, done + CHUNK))
    } finally {
      await file.close()
    }
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
