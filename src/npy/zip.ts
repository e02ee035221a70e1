import type { Unzipped, Zippable } from 'fflate'
import { CrossmemError } from '../errors.js'
import type { DType, Order } from '../nd/index.js'
import { decodeNpyHeader, encodeNpyHeader, type NpyHeader } from './header.js'
import { readWhole } from './read-file.js'
import { toNative } from './swap.js'
import { writeWhole } from './write-file.js'

// An .npz is a zip of .npy files, each named after its array.

/** Loaded when it is needed: few programs use it, and all would start later. */
const fflate = (): typeof import('fflate') => require('fflate')

/** One array of an .npz file. */
export interface NpzMember {
  name: string
  header: NpyHeader
  data: Uint8Array
}

/** As NumPy writes it, so that equal arrays make equal files. */
const WRITTEN = '1980-01-01T00:00:00'
const SUFFIX = '.npy'
/** What fits the 32-bit sizes of a zip, with room for its directory. */
const MOST_BYTES = 2 ** 32 - 2 ** 20

/** Reads all arrays of an .npz file. Other members are left out. */
export async function readNpz(path: string | URL): Promise<NpzMember[]> {
  const members = unzip(await readWhole(path))
  return Object.entries(members).map(([file, bytes]) => {
    const name = file.slice(0, -SUFFIX.length)
    try {
      const header = decodeNpyHeader(bytes)
      const data = bytes.subarray(header.dataOffset, header.dataOffset + header.dataBytes)
      toNative(header, data)
      return { name, header, data }
    } catch (error) {
      if (!(error instanceof CrossmemError)) throw error
      throw new CrossmemError(error.code, `"${file}" of the .npz file: ${error.message}`, { cause: error })
    }
  })
}

function unzip(bytes: Uint8Array): Unzipped {
  try {
    return fflate().unzipSync(bytes, { filter: ({ name }) => name.endsWith(SUFFIX) })
  } catch (cause) {
    if ((cause as Error).name === 'RangeError')
      throw new CrossmemError('ERR_TOO_LARGE', 'no memory for the arrays of the .npz file', { cause })
    throw new CrossmemError('ERR_CORRUPT', `not a valid .npz: ${(cause as Error).message}`, { cause })
  }
}

/** Writes an .npz file. */
export async function writeNpz(
  path: string | URL,
  members: {
    name: string
    header: { dtype: DType; shape: readonly number[]; order: Order }
    data: Uint8Array
  }[],
  compress: boolean,
): Promise<void> {
  const files: Zippable = Object.create(null)
  const bytes = members.reduce((sum, { data }) => sum + data.length, 0)
  if (bytes > MOST_BYTES)
    throw new CrossmemError(
      'ERR_TOO_LARGE',
      `${bytes} bytes are too many for one .npz file; save() each array`,
    )
  for (const { name, header, data } of members) files[name + SUFFIX] = concat(encodeNpyHeader(header), data)
  await writeWhole(path, [fflate().zipSync(files, { level: compress ? 6 : 0, mtime: WRITTEN })])
}

function concat(header: Uint8Array, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(header.length + data.length)
  bytes.set(header)
  bytes.set(data, header.length)
  return bytes
}
