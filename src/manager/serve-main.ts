// What the process of a manager runs.

import './proxies.js'
import { loadFunctions } from '../process/index.js'
import type { Pipe } from '../queues/index.js'
import { ManagerServer } from './server.js'
import type { Served } from './settings.js'
import { encodeError } from './values.js'

/** What the process that starts a manager is told. */
export type Report = { url: string | undefined; instance: string } | { error: Uint8Array }

export async function serve(
  settings: Served,
  modules: string[],
  caller: string,
  pipe: Pipe<Report>,
): Promise<void> {
  const server = new ManagerServer(settings)
  try {
    for (const module of modules) {
      for (const [name, made] of await loadFunctions({ module, caller })) server.register(name, made)
    }
    await server.listen()
  } catch (error) {
    await pipe.send({ error: encodeError(error) })
    return
  }
  await pipe.send({ url: server.url, instance: server.instance })
  await server.closed
}
