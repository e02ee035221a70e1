import '../helpers/domain.js'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { root } from '../helpers/paths.js'
import { installPublished } from '../helpers/published.js'

const program = `
const { readdirSync, readlinkSync } = require('node:fs')
const { between } = require('./two-copies.js')
const [A, B] = [require('./lib-a'), require('./lib-b')]
if (A.Queue === B.Queue) throw new Error('one copy, not two')
/** The FIFOs that this process has open: one without a name ends with «(deleted)». */
const fifos = () => readdirSync('/proc/self/fd').map(fd => {
  try { return readlinkSync('/proc/self/fd/' + fd) } catch { return '' }
}).filter(path => path.includes('~f'))
process.on('exit', () => {
  const queue = A.Queue.create(null)
  B.Queue.open(queue.name).putSync('both work at exit')
  console.log(queue.getSync())
})
between(A, B).then(() => between(B, A)).then(() => {
  // The copies are one agent, and its event loop is woken by one FIFO.
  if (process.platform === 'linux' && !/^[^,]+~f\\d+$/.test(fifos().join())) throw new Error(fifos().join())
  console.log('both work')
})
`

test('two libraries with a copy of the package each work together over one addon', t => {
  const folder = mkdtempSync(join(tmpdir(), 'crossmem-copies-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  installPublished(folder)
  for (const library of ['lib-a', 'lib-b']) {
    const own = join(folder, library, 'node_modules', 'crossmem')
    cpSync(join(folder, 'node_modules', 'crossmem'), own, { recursive: true })
    writeFileSync(join(folder, library, 'index.js'), "module.exports = require('crossmem')")
  }
  cpSync(join(root, '__test__', 'fixtures', 'package', 'two-copies.js'), join(folder, 'two-copies.js'))
  writeFileSync(join(folder, 'program.js'), program)
  t.is(
    execFileSync(process.execPath, ['program.js'], { cwd: folder, encoding: 'utf8' }),
    'both work\nboth work at exit\n',
  )
})
