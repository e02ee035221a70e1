import test from 'ava'
import { type Documented, publicApi } from '../helpers/declarations.js'

test('every exported name and every public member has a sentence, not only tags', t => {
  const bare = publicApi().filter(({ texts }) => texts.some(text => text.trim() === ''))
  t.deepEqual(
    bare.map(({ name }) => name),
    [],
  )
})

const api = new Map(publicApi().map(entry => [entry.name, entry]))

/**
 * The members whose errors a member's comment refers to: as `push`, as `Queue.get`. Members that
 * Queue inherits are those of ValueQueue.
 */
function referred({ name, texts, throws }: Documented): Documented[] {
  const [owner] = name.split('.')
  const lists = [...texts, ...throws].flatMap(text => text.match(/\b[Aa]s (`[\w.]+`(, | and )?)+/g) ?? [])
  return lists.flatMap(list =>
    [...list.matchAll(/`(\w+\.)?(\w+)`/g)].flatMap(([, isElsewhere, member]) => {
      const here = isElsewhere ? undefined : api.get(`${owner}.${member}`)
      const found = here ?? api.get(`ValueQueue.${member}`)
      return found ? [found] : []
    }),
  )
}

/** The codes that a comment states, itself or by reference. */
function codesOf(entry: Documented, seen = new Set<string>()): string[] {
  if (seen.has(entry.name)) return []
  seen.add(entry.name)
  const own = entry.throws.flatMap(text => text.match(/ERR_\w+/g) ?? [])
  return [...own, ...referred(entry).flatMap(other => codesOf(other, seen))]
}

test('every call that waits states its errors: of time, of its options, of a closed handle', t => {
  const waits = [...api.values()].filter(({ parameters }) =>
    parameters.some(type => /^(Sync)?WaitOptions$|^FileLock(Sync)?Options$/.test(type)),
  )
  t.true(waits.length > 40)
  const lacking = waits.flatMap(entry => {
    const codes = codesOf(entry)
    // After its timeout, Pipe.wait returns no ends.
    const timeout = entry.name === 'Pipe.wait' ? [] : ['ERR_TIMEOUT']
    // A Process is no handle, so nothing closes it; and what waits for an object has none yet.
    const closed = /^Process\.join$|\.whenCreated$/.test(entry.name) ? [] : ['ERR_CLOSED']
    const missing = [...timeout, 'ERR_INVALID_ARG', ...closed].filter(code => !codes.includes(code))
    return missing.map(code => `${entry.name}: ${code}`)
  })
  t.deepEqual(lacking, [])
})
