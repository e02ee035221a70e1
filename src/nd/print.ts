/** Values in nested arrays; a string stands for those that a summary leaves out. */
export type NestedLike<T> = T | string | NestedLike<T>[]
/** The text of every element, in nested arrays. */
type Printed = NestedLike<string>

/** The text of one element, with at most `digits` significant digits. */
export function printScalar(value: unknown, digits: number): string {
  if (Array.isArray(value)) {
    const [re, im] = value.map(part => printScalar(part, digits)) as [string, string]
    return `${re}${im.startsWith('-') ? '' : '+'}${im}j`
  }
  if (Object.is(value, -0)) return '-0'
  return typeof value === 'number' && !Number.isSafeInteger(value)
    ? String(Number(value.toPrecision(digits)))
    : String(value)
}

const widthOf = (printed: Printed): number =>
  typeof printed === 'string' ? printed.length : Math.max(...printed.map(widthOf))

/** Lays out the texts of an array's elements as NumPy does. */
export const printNested = (printed: Printed): string => layOut(printed, widthOf(printed), 1)

/**
 * Rows of right-aligned numbers, broken near column 75; between blocks of n axes, n - 1 line
 * breaks.
 */
function layOut(printed: Printed, width: number, indent: number): string {
  if (typeof printed === 'string') return printed
  const newline = `\n${' '.repeat(indent)}`
  const depth = depthOf(printed)
  if (depth > 1) {
    const parts = printed.map(part => layOut(part, width, indent + 1))
    return `[${parts.join('\n'.repeat(depth - 2) + newline)}]`
  }
  const perLine = Math.max(Math.floor((75 - indent) / (width + 1)), 1)
  const cells = printed.map(
    (cell, i) => (i > 0 && i % perLine === 0 ? newline : i > 0 ? ' ' : '') + pad(cell, width),
  )
  return `[${cells.join('')}]`
}

const pad = (cell: Printed, width: number) => (cell as string).padStart(cell === '…' ? 1 : width)

const depthOf = (printed: Printed): number =>
  typeof printed === 'string' ? 0 : 1 + depthOf(printed[0] as Printed)
