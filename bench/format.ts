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

/** Three figures that count; whole numbers from a hundred up. */
export const figures = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3)

export const mebibytes = (bytes: number): string => `${bytes / 2 ** 20} MiB`
