import { CrossmemError } from '../errors.js'
import { isAbortSignal } from './brands.js'
import { show } from './show.js'

/** The names of options, each once: the compiler finds one that is missing or wrong. */
export type OptionNames<Options> = { readonly [Name in keyof Options]-?: true }

const NONE = Object.freeze({})

/**
 * Checks that `options` is an object, or left out, and that it has no other options than these. An
 * option that is `undefined` counts as left out.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG
 */
export function checkOptions<Options extends object>(
  options: Options | undefined,
  names: OptionNames<Options>,
): Partial<Options> {
  if (options === undefined) return NONE
  if (brandOf(options) !== '[object Object]') throw notOptions(options, names)
  for (const name in options) {
    if (Object.hasOwn(names, name) || options[name] === undefined) continue
    // A program may have added properties to all objects.
    if (!(name in Object.prototype)) throw unknownOption(name, Object.keys(names))
  }
  return options
}

/** Tells objects of a program from built-in ones of any realm, and from values that are none. */
const brandOf = (value: unknown): string => Object.prototype.toString.call(value)

/** What a value is meant for that stands where options belong. */
const meant: Record<string, (value: unknown) => boolean> = {
  timeout: value => typeof value === 'number',
  grace: value => typeof value === 'number',
  signal: isAbortSignal,
  shape: value => typeof value === 'number' || Array.isArray(value),
  codec: value => typeof value === 'string' && ['msgpack', 'v8', 'json'].includes(value),
}

function notOptions(value: unknown, names: object): CrossmemError {
  const known = Object.keys(names)
  const name = known.find(name => meant[name]?.(value))
  const example = name === 'signal' ? '{ signal }' : `{ ${name}: ${show(value)} }`
  return new CrossmemError(
    'ERR_INVALID_ARG',
    name === undefined
      ? `options are an object with ${listOf(known)}, not ${show(value)}`
      : `options are an object: write ${example}, not ${show(value)}`,
  )
}

function unknownOption(name: string, known: string[]): CrossmemError {
  const [nearest] = known
    .map(option => ({ option, changes: changesBetween(name.toLowerCase(), option.toLowerCase()) }))
    .filter(({ changes }) => changes <= name.length / 3)
    .sort((a, b) => a.changes - b.changes)
  const advice = nearest ? `did you mean "${nearest.option}"?` : `this call takes ${listOf(known)}`
  return new CrossmemError(
    'ERR_INVALID_ARG',
    `unknown option ${JSON.stringify(name.slice(0, 80))}; ${advice}`,
  )
}

const listOf = (names: string[]): string => {
  const quoted = names.map(name => `"${name}"`)
  const last = quoted.pop()
  return quoted.length > 0 ? `${quoted.join(', ')} or ${last}` : String(last)
}

/** How many letters have to be added, left out or replaced to make one word of the other. */
function changesBetween(word: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, i) => i)
  for (const [i, letter] of [...word].entries()) {
    const next = [i + 1]
    for (const [j, wanted] of [...other].entries()) {
      const [above = 0, before = 0] = [row[j + 1], next[j]]
      next.push(Math.min(above + 1, before + 1, (row[j] ?? 0) + Number(letter !== wanted)))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
