import { dirname, join } from 'node:path'
import type { AsyncBuffer, FileMetaData } from 'hyparquet'

/** The columns of the file, in the order of the shared array. */
export const columnNames = ['date', 'delay', 'distance', 'origin', 'destination'] as const

/** The file of flights, with the metadata of its footer. */
export interface FlightsFile {
  rows: number
  file: AsyncBuffer
  metadata: FileMetaData
}

/**
 * Three million domestic flights of January to June 2001, from the U.S. Bureau of Transportation
 * Statistics.
 */
export async function openFlights(): Promise<FlightsFile> {
  const { asyncBufferFromFile, parquetMetadataAsync } = await import('hyparquet')
  const data = join(dirname(require.resolve('vega-datasets')), '..', 'data')
  const file = await asyncBufferFromFile(join(data, 'flights-3m.parquet'))
  const metadata = await parquetMetadataAsync(file)
  return { rows: Number(metadata.num_rows), file, metadata }
}

/**
 * Reads the flights into `into`, column after column: the minute of departure (counted from 1970,
 * local time), the delay on arrival in minutes, the distance in miles, and two airports as their
 * indices in the list that is returned. All values are integers that 32 bits hold exactly.
 *
 * @param onProgress gets the share that has been read; if it throws, the reading ends
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
  // One row group at a time, so that the heap never holds the values of all groups.
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
        const column = (columnNames as readonly string[]).indexOf(columnName)
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
