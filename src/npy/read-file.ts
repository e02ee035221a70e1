import { type FileHandle, open } from 'node:fs/promises'
import { CrossmemError } from '../errors.js'
import { decodeNpyHeader, headerBytes, LONGEST_HEADER, type NpyHeader, PREFIX } from './header.js'
import { CHUNK, pathOf } from './paths.js'
import { toNative } from './swap.js'

/**
 * Reads a .npy file; its elements come in the machine's own byte order. What has a size is checked
 * against it before its data is read; of a pipe only the bytes of one array are taken.
 */
export async function readNpy(path: string | URL): Promise<{ header: NpyHeader; data: Uint8Array }> {
  const file = await open(pathOf(path), 'r')
  try {
    const stat = await file.stat()
    // The files of /proc say 0, too.
    const { header, data } =
      stat.isFile() && stat.size > 0 ? await readSized(file, stat.size) : await readStream(file)
    toNative(header, data)
    return { header, data }
  } finally {
    await file.close()
  }
}

interface Npy {
  header: NpyHeader
  data: Uint8Array
}

async function readSized(file: FileHandle, size: number): Promise<Npy> {
  const start = new Uint8Array(Math.min(size, LONGEST_HEADER))
  await whole(file, start, 0)
  const header = decodeNpyHeader(start, size)
  const data = allocate(header.dataBytes)
  await whole(file, data, header.dataOffset)
  return { header, data }
}

async function whole(file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  if ((await fill(file, into, position)) < into.length)
    throw new CrossmemError(
      'ERR_CORRUPT',
      'the file shrank while it was read; load it when its writer is done',
    )
}

async function readStream(file: FileHandle): Promise<Npy> {
  const prefix = new Uint8Array(PREFIX)
  const got = await fill(file, prefix)
  const start = new Uint8Array(Math.max(headerBytes(prefix.subarray(0, got)), PREFIX))
  start.set(prefix)
  const there = PREFIX + (await fill(file, start.subarray(PREFIX)))
  const header = decodeNpyHeader(start.subarray(0, there), Number.MAX_SAFE_INTEGER)
  const data = allocate(header.dataBytes)
  const read = await fill(file, data)
  if (read < data.length) decodeNpyHeader(start, there + read) // says that it is cut off
  return { header, data }
}

/** Reads all bytes of a file or a pipe. */
export async function readWhole(path: string | URL): Promise<Uint8Array> {
  const file = await open(pathOf(path), 'r')
  try {
    const { size } = await file.stat()
    let bytes = allocate(size + 1)
    let length = 0
    for (;;) {
      length += await fill(file, bytes.subarray(length))
      if (length < bytes.length) return bytes.subarray(0, length)
      const longer = allocate(2 * bytes.length + 65_536)
      longer.set(bytes)
      bytes = longer
    }
  } finally {
    await file.close()
  }
}

/** Reads until `into` is full or the file ends. Returns the number of bytes. */
async function fill(file: FileHandle, into: Uint8Array, position?: number): Promise<number> {
  let done = 0
  while (done < into.length) {
    const at = position === undefined ? null : position + done
    const { bytesRead } = await file.read(into, done, Math.min(CHUNK, into.length - done), at)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}

function allocate(byteLength: number): Uint8Array {
  try {
    return new Uint8Array(byteLength)
  } catch (cause) {
    throw new CrossmemError('ERR_TOO_LARGE', `no memory for ${byteLength} bytes of elements`, { cause })
  }
}
