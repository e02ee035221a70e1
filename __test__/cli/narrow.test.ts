import { type Cell, nameList, table, wrap } from '../../src/cli/format.js'
import { hold, leave, leaveNothing, test, user } from '../contracts/command.js'
import { unique } from '../helpers/domain.js'
import { kill } from '../processes/children.js'
import { hasTerminal, onTerminal } from '../processes/terminal.js'

leaveNothing()

/** The table with a name and a list in each line, in so many cells. */
const tableIn = (room: number, ...lists: Cell[]): string[] =>
  table(
    [
      { heading: 'NAME', isCut: true },
      { heading: 'LIST', isList: true },
    ],
    lists.map(list => ['a-name-of-20-letters', list]),
    room,
  )

const list = (items: string[], after = ''): Cell => ({ groups: [{ items, after }] })

test('a list in a table ends behind a whole item, with how many more there are', t => {
  const five = ['11111', '22222', '33333', '44444', '55555']
  t.deepEqual(tableIn(80, list(five))[1], 'a-name-of-20-letters  11111, 22222, 33333, 44444, 55555')
  t.deepEqual(tableIn(54, list(five))[1], 'a-name-of-20-letters  11111, 22222, 33333, 44444 +1')
  t.deepEqual(tableIn(36, list(five))[1], 'a-name-of-20-letters  11111 +4')
  t.deepEqual(tableIn(36, list(five, ' for room'))[1], 'a-name-of-20-letters  +5 for room')
  // What they are about goes before the items do.
  t.deepEqual(tableIn(34, list(five, ' for a notification'))[1], 'a-name-of-20-letters  11111 +4')
  t.deepEqual(tableIn(34, list(['11111'], ' for a notification'))[1], 'a-name-of-20-letters  11111')
  t.deepEqual(
    tableIn(34, { ...(list(five, ' for room') as object), end: ' 9s' } as Cell)[1],
    'a-name-of-20-letters  +5 for room',
  )
  t.deepEqual(
    tableIn(36, nameList(five.map(name => `${name}-${name}`)))[1],
    'a-name-of-20-letters  11111-11111 +4',
  )
  t.deepEqual(
    tableIn(80, nameList(Array.from({ length: 9 }, (_, i) => `n${i}`)))[1],
    'a-name-of-20-letters  n0, n1, n2, n3, n4, n5 +3',
  )
})

test('texts are broken at blanks, and no number is cut in two', t => {
  t.is(wrap('held  11111, 22222, 33333 for room', 20, 6), 'held  11111, 22222,\n      33333 for room')
  t.is(wrap('short', 20), 'short')
  t.is(wrap('not broken', undefined), 'not broken')
  const [, row] = table([{ heading: 'STATE', isCut: true }], [['9000 of 10000, 9000 unfinished']], 12)
  t.is(row, '9000 of …')
})

const testTerminal = hasTerminal ? test : test.skip

testTerminal('no process id is cut in two on a terminal of 80 columns, and no line is longer', async t => {
  const name = unique('an-object-whose-name-is-rather-long')
  const holder = await hold(name, { shape: [4] })
  const others = await Promise.all(Array.from({ length: 11 }, () => user()))
  for (const other of others) await other.tell({ do: 'open', reference: name })
  const lost = unique('lost')
  const victim = await hold(lost, { byteLength: 10 })
  await kill(victim)
  const ids = new Set([holder, victim, ...others].map(({ pid }) => String(pid)))
  const commands = [
    ['ls'],
    ['inspect', name],
    ['top', '--once', '--interval', '0.01'],
    ['doctor'],
    ['ls', '--all'],
    ['--help'],
  ]
  for (const command of commands) {
    const lines = await onTerminal(80, ...command)
    t.deepEqual(
      lines.filter(line => line.length > 80),
      [],
      command[0],
    )
    t.deepEqual(
      lines.filter(line => / \d+…/.test(line)),
      [],
      command[0],
    )
  }
  const listed = (await onTerminal(80, 'ls')).find(line => line.startsWith('an-object')) as string
  const [, shown, , more] = /(\d+)(, \d+)* \+(\d+)$/.exec(listed) ?? []
  t.true(ids.has(shown as string), listed)
  t.true(Number(more) > 0, listed)
  const inspected = await onTerminal(80, 'inspect', name)
  const attached = inspected.slice(inspected.findIndex(line => line.startsWith('attached')))
  t.is(
    attached
      .join(' ')
      .match(/\d{2,}/g)
      ?.filter(id => ids.has(id)).length,
    12,
  )
  // On a wide terminal there is room for all.
  const wide = (await onTerminal(200, 'ls')).find(line => line.startsWith('an-object')) as string
  t.is(wide.match(/\d{2,}/g)?.filter(id => ids.has(id)).length, 12, wide)
  await Promise.all(others.map(other => other.leave()))
  await leave(holder)
})
