const units = [
  ['s', 1e9],
  ['ms', 1e6],
  ['µs', 1e3],
  ['ns', 1],
] as const

/** `1234567` → `1.23 ms`. */
export function duration(ns: number): string {
  const [unit, size] = units.find(([, size]) => ns >= size) ?? (['ns', 1] as const)
  return `${figures(ns / size)} ${unit}`
}

/** Three significant figures; from 100 up, an integer. */
export const figures = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3)

export const mebibytes = (bytes: number): string => `${bytes / 2 ** 20} MiB`

/** The unit of an axis. */
export type Unit = 'bytes' | 'bytes a second' | 'number' | 'a second' | 'share' | 'nanoseconds'

/** A number with its unit, in short form. */
export const shown: Record<Unit, (value: number) => string> = {
  bytes: value => withPrefix(value, 1024, ['B', 'KiB', 'MiB', 'GiB']),
  'bytes a second': value => withPrefix(value, 1000, ['B/s', 'kB/s', 'MB/s', 'GB/s']),
  number: value => String(value),
  'a second': value => withPrefix(value, 1000, ['', 'k', 'M', 'G']).trimEnd(),
  share: value => `${Number((value * 100).toPrecision(4))} %`,
  nanoseconds: duration,
}

function withPrefix(value: number, step: number, names: string[]): string {
  const power = Math.max(0, Math.min(names.length - 1, Math.floor(Math.log(value) / Math.log(step) + 1e-9)))
  return `${figures(value / step ** power)} ${names[power]}`
}

/** Without trailing zeros, for the ticks of an axis: `1.00 µs` → `1 µs`. */
export const round = (text: string): string => text.replace(/\.0+(?!\d)|(\.\d*?)0+(?!\d)/, '$1')
