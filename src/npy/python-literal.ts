import { CrossmemError } from '../errors.js'
import { show } from '../util/index.js'

/** `(1, 2)`: a tuple, kept apart from a list because .npy headers tell them apart. */
export class PythonTuple {
  constructor(readonly items: PythonLiteral[]) {}
}

/** A Python value: str, int, bool or None, tuple, list, or dict with str keys. */
export type PythonLiteral =
  | string
  | bigint
  | boolean
  | null
  | PythonTuple
  | PythonLiteral[]
  | Map<string, PythonLiteral>

const MAX_DEPTH = 64

const words = new Map([
  ['True', true],
  ['False', false],
  ['None', null],
])

const escapes = new Map(
  Object.entries({
    '\\': '\\',
    "'": "'",
    '"': '"',
    n: '\n',
    r: '\r',
    t: '\t',
    a: '\x07',
    b: '\b',
    f: '\f',
    v: '\v',
  }),
)
const hexDigits = new Map(Object.entries({ x: 2, u: 4, U: 8 }))

const isDigit = (c: string) => c >= '0' && c <= '9'
const isLetter = (c: string) => (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
const isSpace = (c: string) => c === ' ' || c === '\t' || c === '\n' || c === '\r' || c === '\f'
const isHex = (c: string) => isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')

/**
 * Parses what Python's `repr` writes and `ast.literal_eval` reads, as far as .npy headers use it
 * (https://docs.python.org/3/reference/lexical_analysis.html#literals). Nothing is evaluated.
 * Stricter than Python where a header gains nothing: a key given twice is an error.
 * @throws {CrossmemError} ERR_CORRUPT with the position of what can't be read
 */
export function parsePythonLiteral(text: string): PythonLiteral {
  const parser = new Parser(text)
  const value = parser.value(0)
  parser.end()
  return value
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(depth: number): PythonLiteral {
    if (depth > MAX_DEPTH) throw this.#error(`more than ${MAX_DEPTH} brackets inside each other`)
    const c = this.#peek()
    if (c === '{') return this.#dict(depth)
    if (c === '[') return this.#items(']', depth).items
    if (c === '(') return this.#parentheses(depth)
    if (c === "'" || c === '"') return this.#string()
    if (c === '-' || c === '+' || isDigit(c)) return this.#integer()
    return this.#word()
  }

  end(): void {
    if (this.#peek() !== '') throw this.#error('nothing more expected')
  }

  #dict(depth: number): Map<string, PythonLiteral> {
    const dict = new Map<string, PythonLiteral>()
    this.#expect('{')
    while (!this.#accept('}')) {
      const key = this.value(depth + 1)
      if (typeof key !== 'string') throw this.#error('a dict key must be a string')
      if (dict.has(key)) throw this.#error(`the key ${show(key)} is given twice`)
      this.#expect(':')
      dict.set(key, this.value(depth + 1))
      if (this.#peek() !== '}') this.#expect(',')
    }
    return dict
  }

  /** `(1)` is 1 in parentheses; the comma makes the tuple. */
  #parentheses(depth: number): PythonLiteral {
    const { items, commas } = this.#items(')', depth)
    return items.length === 1 && commas === 0 ? (items[0] as PythonLiteral) : new PythonTuple(items)
  }

  #items(close: ')' | ']', depth: number): { items: PythonLiteral[]; commas: number } {
    const items: PythonLiteral[] = []
    let commas = 0
    this.#at++
    while (!this.#accept(close)) {
      items.push(this.value(depth + 1))
      if (this.#accept(',')) commas++
      else if (this.#peek() !== close) throw this.#error(`',' or '${close}' expected`)
    }
    return { items, commas }
  }

  #string(): string {
    const quote = this.#next()
    let value = ''
    for (;;) {
      const c = this.#next()
      if (c === quote) return value
      if (c === '' || c === '\n' || c === '\r') throw this.#error('a string has no end')
      value += c === '\\' ? this.#escape() : c
    }
  }

  #escape(): string {
    const c = this.#next()
    const digits = hexDigits.get(c)
    const plain = escapes.get(c)
    if (plain !== undefined) return plain
    if (digits === undefined) throw this.#error(`unknown escape \\${c}`)
    const hex = this.#text.slice(this.#at, this.#at + digits)
    const codePoint = Number.parseInt(hex, 16)
    if (hex.length !== digits || ![...hex].every(isHex) || codePoint > 0x10ffff)
      throw this.#error(`\\${c} needs ${digits} hex digits of a character`)
    this.#at += digits
    return String.fromCodePoint(codePoint)
  }

  #integer(): bigint {
    const negative = this.#accept('-')
    if (!negative) this.#accept('+')
    const digits = this.#while(isDigit)
    // Python refuses leading zeros, which once meant octal.
    if (digits === '' || (digits.length > 1 && digits.startsWith('0')))
      throw this.#error('an integer expected')
    // Python 2 wrote the longs it used for shapes on Windows as `3L`.
    if (this.#text.charAt(this.#at) === 'L') this.#at++
    return negative ? -BigInt(digits) : BigInt(digits)
  }

  #word(): PythonLiteral {
    const start = this.#at
    const word = this.#while(isLetter)
    const c = this.#text.charAt(this.#at)
    // u'…' is how Python 2 wrote a unicode string.
    if (word === 'u' && (c === "'" || c === '"')) return this.#string()
    const value = words.get(word)
    if (value !== undefined) return value
    this.#at = start
    throw this.#error('a value expected')
  }

  #while(belongs: (c: string) => boolean): string {
    const start = this.#at
    while (this.#at < this.#text.length && belongs(this.#text.charAt(this.#at))) this.#at++
    return this.#text.slice(start, this.#at)
  }

  /** The next character after white space, '' at the end; it isn't taken. */
  #peek(): string {
    this.#while(isSpace)
    return this.#text.charAt(this.#at)
  }

  /** Takes the very next character, be it white space; '' at the end. */
  #next(): string {
    return this.#text.charAt(this.#at++)
  }

  #accept(c: string): boolean {
    if (this.#peek() !== c) return false
    this.#at++
    return true
  }

  #expect(c: string): void {
    if (!this.#accept(c)) throw this.#error(`'${c}' expected`)
  }

  #error(why: string): CrossmemError {
    const here = this.#text.slice(this.#at, this.#at + 20)
    return new CrossmemError(
      'ERR_CORRUPT',
      `not a Python literal: ${why} at character ${this.#at}, before ${show(here)}`,
    )
  }
}
