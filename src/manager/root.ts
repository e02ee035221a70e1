import type { RootMethods } from './served-client.js'
import { integer, text } from './stored.js'

/** What a manager does for its clients, beside what its objects do. */
export const rootMethods = (stats: () => object, transit: number): RootMethods => ({
  make: (client, call, kind, first, second) =>
    call.object(client.store.make(call, text(kind), first, second)),
  create: (client, call, name, args) => client.store.create(call, name, args),
  open: (client, call, id) => call.object(client.store.find(integer(id, 1))),
  // A reference to it leaves the client.
  send: (client, _, id) => client.store.holdFor(client.heldObject(id), transit),
  publish: (client, _, name, id) => client.store.publish(text(name), client.heldObject(id)),
  unpublish: (client, _, name) => client.store.unpublish(text(name)),
  get: (client, call, name) => call.object(client.store.published(text(name))),
  cancel: (client, _, token) => client.cancel(token),
  stats,
  inspect: client =>
    [...client.store.reachable()].map(stored => ({
      id: stored.id,
      kind: stored.kind,
      names: [...client.store.names].flatMap(([name, named]) => (named === stored ? [name] : [])),
      state: stored.state(),
    })),
})
