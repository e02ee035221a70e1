const named = new Map(Object.entries({ '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }))

/** What Python doesn't print as it is: separators but the space, controls, what is unassigned. */
const unprintable = /(?! )[\p{C}\p{Z}]/u

/**
 * Python's `repr` of a string
 * (https://docs.python.org/3/library/stdtypes.html#str.isprintable).
 */
export function pythonString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  let literal = ''
  for (const character of text)
    literal += character === quote ? `\\${quote}` : (named.get(character) ?? printable(character))
  return quote + literal + quote
}

/** Python's `repr` of bytes, one for each character up to U+00FF. */
export const pythonBytes = (latin1: string): string =>
  `b${pythonString(latin1).replace(/[\x80-\xff]/g, byte => hex('x', 2, byte.charCodeAt(0)))}`

function printable(character: string): string {
  if (!unprintable.test(character)) return character
  const code = character.codePointAt(0) as number
  return code <= 0xff ? hex('x', 2, code) : code <= 0xffff ? hex('u', 4, code) : hex('U', 8, code)
}

const hex = (letter: string, digits: number, code: number): string =>
  `\\${letter}${code.toString(16).padStart(digits, '0')}`
