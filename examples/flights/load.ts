import { dirname, join } from 'node:path'
import type { AsyncBuffer, FileMetaData } from 'hyparquet'

/** The columns of the file, in the order in which the shared array has them. */
export const columnNames = ['date', 'delay', 'distance', 'origin', 'destination'] as const

/** The flights as a file that can be read, with what its footer says. */
export interface FlightsFile {
  rows: number
  file: AsyncBuffer
  metadata: FileMetaData
}

/** Three million domestic flights of January to June 2001, as the U.S. Bureau of Transportation Statistics has them. */
export async function openFlights(): Promise<FlightsFile> {
  const { asyncBufferFromFile, parquetMetadataAsync } = await import('hyparquet')
  const data = join(dirname(require.resolve('vega-datasets')), '..', 'data')
  const file = await asyncBufferFromFile(join(data, 'flights-3m.parquet'))
  const metadata = await parquetMetadataAsync(file)
  return { rows: Number(metadata.num_rows), file, metadata }
}

/**
 * Reads the flights into `into`, column after column: the minute of departure (counted from 1970, local time), the delay on
 * arrival in minutes, the distance in miles, and two airports as their index in the list that is returned.
 * The file has no other values than these integers, so that 32 bits hold every one exactly.
 *
 * @param onProgress told the share that is read; what it throws ends the reading
 */
export async function readFlights(
  source: FlightsFile,
  into: Int32Array,
  onProgress: (share: number) => void,
): Promise<string[]> {
  const { parquetRead } = await import('hyparquet')
  const { compressors } = await import('hyparquet-compressors')
  const airports = new Map<string, number>()
  const indexOf = (airport: string): number => {
    const index = airports.get(airport) ?? airports.size
    airports.set(airport, index)
    return index
  }
  // One row group at a time: only its values are on the heap.
  let end = 0
  let cells = 0
  for (const group of source.metadata.row_groups) {
    const start = end
    end += Number(group.num_rows)
    await parquetRead({
      file: source.file,
      metadata: source.metadata,
      rowStart: start,
      rowEnd: end,
      columns: [...columnNames],
      compressors,
      parsers: {
        timestampFromMicroseconds: (micros: bigint) => Number(micros) / 60_000_000,
        stringFromBytes: (code: Uint8Array) => indexOf(Buffer.from(code).toString('latin1')),
      },
      onChunk({ columnName, columnData, rowStart }) {
        const column = columnNames.findIndex(name => name === columnName)
        copyExactly(columnData, into, column * source.rows + rowStart)
        cells += columnData.length
      },
    })
    onProgress(end / source.rows)
  }
  if (cells !== into.length)
    throw new Error(`the flights have ${cells} values where ${into.length} were announced`)
  return [...airports.keys()]
}

function copyExactly(chunk: ArrayLike<unknown>, into: Int32Array, offset: number): void {
  for (let i = 0; i < chunk.length; i++) {
    const value = chunk[i] === null ? Number.NaN : Number(chunk[i])
    into[offset + i] = value
    if (into[offset + i] !== value)
      throw new Error(`the flights have the value ${chunk[i]}, which isn't an int32`)
  }
}
