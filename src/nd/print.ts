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

/** Lays out the texts of an array's elements as NumPy does, padded to one width or not. */
export const printNested = (printed: Printed, isPadded: boolean): string =>
  layOut(printed, isPadded ? widthOf(printed) : 0, 1)

/** Where lines are broken. */
const COLUMNS = 75

/**
 * Rows of right-aligned texts, broken near column 75; between blocks of n axes, n - 1 line breaks.
 */
function layOut(printed: Printed, width: number, indent: number): string {
  if (typeof printed === 'string') return printed
  const newline = `\n${' '.repeat(indent)}`
  const depth = depthOf(printed)
  if (depth > 1) {
    const parts = printed.map(part => layOut(part, width, indent + 1))
    return `[${parts.join('\n'.repeat(depth - 2) + newline)}]`
  }
  let text = ''
  let column = indent
  for (const cell of printed.map(cell => pad(cell, width))) {
    const isFirst = text === ''
    if (!isFirst && column + cell.length + 1 > COLUMNS) {
      text += newline
      column = indent
    } else if (!isFirst) text += ' '
    text += cell
    column += cell.length + 1
  }
  return `[${text}]`
}

const pad = (cell: Printed, width: number) => (cell as string).padStart(cell === '…' ? 1 : width)

const depthOf = (printed: Printed): number =>
  typeof printed === 'string' ? 0 : 1 + depthOf(printed[0] as Printed)
