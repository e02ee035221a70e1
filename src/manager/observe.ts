import { Connection } from './connection.js'
import { plain } from './managed.js'
import { names } from './places.js'
import { ROOT } from './protocol.js'
import type { ManagerStats } from './server.js'

/** An object of a manager, as it is shown. */
export interface ObjectOfManager {
  id: number
  kind: string
  /** What it was published as. */
  names: string[]
  state: Record<string, unknown>
}

/** The managers of this domain that live. */
export async function managers(): Promise<ManagerStats[]> {
  const found = await Promise.all(names().map(name => ask(name, 'stats').catch(() => undefined)))
  return found.filter(stats => stats !== undefined) as ManagerStats[]
}

/** All about one; `undefined` if there is none of that name. */
export async function inspectManager(
  name: string,
): Promise<(ManagerStats & { found: ObjectOfManager[] }) | undefined> {
  if (!names().includes(name)) return undefined
  const [stats, found] = await Promise.all([ask(name, 'stats'), ask(name, 'inspect')])
  return { ...(stats as ManagerStats), found: found as ObjectOfManager[] }
}

/** Asks a manager. For the time of the question, this process is a client of it. */
async function ask(name: string, method: 'stats' | 'inspect'): Promise<unknown> {
  const connection = await Connection.open(name)
  try {
    return await connection.call(ROOT, method, [], plain)
  } finally {
    connection.close()
  }
}
