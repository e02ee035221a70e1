import { inspectManager, managers, type ObjectOfManager } from '../manager/index.js'
import { domainName } from '../native/index.js'
import { type Column, count, fields, table } from './format.js'
import type { Options, Report } from './report.js'

const COLUMNS: readonly Column[] = [
  { heading: 'NAME', isCut: true },
  { heading: 'PID', isRight: true },
  { heading: 'CLIENTS', isRight: true },
  { heading: 'OBJECTS', isRight: true },
  { heading: 'CALLS', isRight: true },
  { heading: 'URL', isCut: true },
]

export async function run(_: readonly string[], { columns }: Options): Promise<Report> {
  const found = (await managers()).map(manager => ({ ...manager, clients: others(manager.clients) }))
  const rows = found.map(({ name, pid, clients, objects, calls, url }) => [
    name,
    ...[pid, clients.length, objects, calls].map(String),
    url ?? '-',
  ])
  return {
    data: { domain: domainName(), managers: found },
    text:
      found.length === 0
        ? `no managers in domain "${domainName()}"`
        : table(COLUMNS, rows, columns).join('\n'),
  }
}

/** What `crossmem inspect` shows of a manager; `undefined` if there is none of that name. */
export async function describeManager(name: string, { columns }: Options): Promise<Report | undefined> {
  const manager = await inspectManager(name)
  if (!manager) return undefined
  const { found, ...stats } = manager
  const clients = others(stats.clients)
  const described = {
    name: stats.name,
    kind: 'Manager',
    pid: String(stats.pid),
    url: stats.url,
    calls: String(stats.calls),
    clients: clients.length === 0 ? '-' : clients.map(clientText).join('; '),
  }
  return {
    data: { domain: domainName(), manager: { ...stats, clients, objects: found } },
    text: [fields(described, columns), objectsText(found, columns)].filter(Boolean).join('\n\n'),
  }
}

/** The clients but this process, which asks. */
const others = <Client extends { pid: number }>(clients: readonly Client[]): Client[] =>
  clients.filter(({ pid }) => pid !== process.pid)

const clientText = ({
  pid,
  isRemote,
  objects,
}: {
  pid: number
  isRemote: boolean
  objects: number
}): string => `${pid}${isRemote ? ' elsewhere' : ''} (${count(objects, 'object')})`

function objectsText(objects: readonly ObjectOfManager[], room: number | undefined): string {
  if (objects.length === 0) return ''
  const rows = objects.map(({ id, kind, names, state }) => [
    String(id),
    kind,
    names.join(', ') || '-',
    Object.entries(state)
      .map(([key, value]) => `${key} ${String(value)}`)
      .join(', '),
  ])
  const columns = [{ heading: 'ID', isRight: true }, { heading: 'KIND' }, { heading: 'NAME', isCut: true }]
  return table([...columns, { heading: 'STATE', isCut: true }], rows, room).join('\n')
}
