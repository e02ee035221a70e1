import '../helpers/domain.js'
import { File } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { type Context, createContext, runInContext } from 'node:vm'
import test from 'ava'

/** What test runners lend to the realm in which they run tests. */
const lent = {
  AbortController,
  AbortSignal,
  Blob,
  Buffer,
  DOMException,
  EventTarget,
  File,
  Headers,
  MessageChannel,
  process,
  ReadableStream,
  structuredClone,
  TextDecoder,
  URL,
  URLSearchParams,
}

/** Loads modules into a realm with globals of its own, as Jest does. */
function loaderInto(context: Context): (file: string) => Record<string, never> {
  const modules = new Map<string, { exports: Record<string, never> }>()
  const load = (file: string): Record<string, never> => {
    const path = require.resolve(file)
    const known = modules.get(path)
    if (known) return known.exports
    const module = { exports: {} }
    modules.set(path, module)
    const wrapped = `(function (exports, require, module, __filename) {${readFileSync(path, 'utf8')}\n})`
    const outer = createRequire(path)
    const inner = (name: string) => (name.startsWith('.') ? load(resolve(dirname(path), name)) : outer(name))
    runInContext(wrapped, context, { filename: path })(module.exports, inner, module, path)
    return module.exports
  }
  return load
}

const context = createContext({ ...lent })
const load = loaderInto(context)
const inner = load(join(__dirname, '..', '..', 'src', 'codecs', 'codec.js'))
const { codecFor } = inner as unknown as typeof import('../../src/codecs/codec.js')
const { arrivals, refused, rows, runtime } = load(
  join(__dirname, '..', 'contracts', 'values.js'),
) as unknown as typeof import('../contracts/values.js')
const { describe } = load(
  join(__dirname, '..', 'contracts', 'describe.js'),
) as unknown as typeof import('../contracts/describe.js')

for (const name of ['msgpack', 'v8'] as const) {
  const codec = codecFor<unknown>(name)
  const travel = (value: unknown) => codec.decode(new Uint8Array(codec.encode(value)))

  test(`${name} carries values of the realm that it was loaded into`, t => {
    for (const [kind, make] of Object.entries(rows)) {
      t.is(describe(travel(make(runtime))), describe((arrivals[kind] ?? make)(runtime)), kind)
    }
  })

  test(`${name} carries values of another realm, and msgpack makes values of its own`, t => {
    const error = t.throws(() => readFileSync('/no/such/file')) as Error
    const value = [{ a: [1] }, [2], new Map([[1, new Set([2])]]), new Float64Array(2), new Date(5), error]
    const back = travel(value) as unknown[]
    t.is(describe(back), describe(value))
    // Node's own deserializer makes objects of its main realm.
    if (name === 'v8') return
    const isInner = runInContext('value => value instanceof Object', context)
    t.deepEqual(
      back.map(isInner),
      value.map(() => true),
    )
  })

  test(`${name} refuses in another realm what can't travel`, t => {
    for (const [kind, make] of Object.entries(refused)) {
      const error = t.throws(() => codec.encode({ list: [make()] }), { any: true }, kind) as Error & {
        code: string
      }
      t.is(error.code, 'ERR_INVALID_ARG', kind)
      t.regex(error.message, /^value\.list\[0\] can't be sent: /, kind)
    }
  })
}
