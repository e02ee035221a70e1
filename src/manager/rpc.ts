// What this folder needs of capnweb. Its own types are for modules that import, and this one is
// compiled to require().

interface Sessions {
  new (
    transport: object,
    main?: object,
    options?: { limits?: { maxDepth?: number } },
  ): { getRemoteMain(): unknown }
}

interface Capnweb {
  RpcSession: Sessions
  /** What travels by reference. Its prototype's methods can be called from the other side. */
  RpcTarget: abstract new () => object
}

export const { RpcSession, RpcTarget } = require('capnweb') as Capnweb
