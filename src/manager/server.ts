import { randomBytes } from 'node:crypto'
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import { CrossmemError } from '../errors.js'
import { greet, MOST_BYTES, MOST_TIME } from './handshake.js'
import { type Link, LocalLink, RemoteLink } from './link.js'
import { type Maker, ObjectStore } from './object-store.js'
import { listenAs, tidy } from './places.js'
import { rootMethods } from './root.js'
import { ServedClient } from './served-client.js'
import type { Listening, Served } from './settings.js'
import { Throttle } from './throttle.js'

/** So many connections may be in their handshake at once. */
const MOST_STRANGERS = 64

/** Serves the objects of a manager. */
export class ManagerServer {
  readonly name: string
  /** Where other machines reach it. */
  url: string | undefined
  readonly store = new ObjectStore()
  readonly clients = new Set<ServedClient>()
  readonly instance = randomBytes(8).toString('hex')
  readonly #settings: Served
  readonly #links = new Set<Link>()
  readonly #throttle = new Throttle()
  #local: Server | undefined
  #http: HttpServer | undefined
  /** Those in their handshake, the oldest first. */
  readonly #strangers = new Set<Link>()
  #calls = 0
  readonly closed: Promise<void>
  #tellClosed: () => void = () => undefined

  constructor(settings: Served) {
    this.#settings = settings
    this.name = settings.name
    this.closed = new Promise(resolve => {
      this.#tellClosed = resolve
    })
  }

  /** @throws {CrossmemError} ERR_EXISTS, ERR_PERMISSION, ERR_OS: it can't listen */
  async listen(): Promise<void> {
    const local = createServer({ allowHalfOpen: false }, socket => {
      void this.#take(new LocalLink(socket, MOST_BYTES), undefined)
    })
    await listenAs(local, this.name)
    this.#local = local
    try {
      if (this.#settings.listen) await this.#listenFar(this.#settings.listen)
    } catch (error) {
      await this.close()
      throw error
    }
  }

  register(name: string, maker: Maker): void {
    this.store.register(name, maker)
  }

  /** What `crossmem managers` shows. */
  stats(): ManagerStats {
    const ended = this.#calls
    return {
      name: this.name,
      url: this.url,
      pid: process.pid,
      clients: [...this.clients].map(({ pid, isRemote, objects, calls }) => ({
        pid,
        isRemote,
        objects,
        calls,
      })),
      objects: this.store.reachable().size,
      calls: [...this.clients].reduce((sum, { calls }) => sum + calls, ended),
    }
  }

  /** Whether it keeps this process alive. */
  keep(keeps: boolean): void {
    for (const server of [this.#local, this.#http]) {
      if (keeps) server?.ref()
      else server?.unref()
    }
    for (const link of this.#links) link.keep(keeps)
  }

  /** Ends all connections, and listens no more. */
  async close(): Promise<void> {
    const servers = [this.#local, this.#http].filter(server => server !== undefined)
    const closed = servers.map(server => new Promise<void>(resolve => server.close(() => resolve())))
    for (const client of this.clients) client.disconnect()
    for (const link of this.#links) link.end()
    await Promise.all(closed)
    await tidy()
    this.#tellClosed()
  }

  async #listenFar({ host, port, tls, authkey, heartbeat }: Listening): Promise<void> {
    const server = tls ? createHttpsServer(tls) : createHttpServer()
    server.headersTimeout = MOST_TIME
    server.requestTimeout = MOST_TIME
    // A manager serves nothing but the upgrade to a WebSocket.
    server.on('request', (_, response) => response.writeHead(426).end())
    const sockets = new WebSocketServer({
      noServer: true,
      maxPayload: this.#settings.limits.maxMessageBytes,
      perMessageDeflate: false,
    })
    server.on('upgrade', (request, socket, head) => {
      const raw = socket as Socket
      raw.on('error', () => undefined)
      if (head.length > MOST_BYTES || !this.#throttle.admits(raw.remoteAddress)) return void raw.destroy()
      sockets.handleUpgrade(request, raw, head, webSocket => {
        const begun = raw.bytesRead
        // What is no whole message yet counts, too.
        const count = (): void => {
          if (raw.bytesRead - begun > 2 * MOST_BYTES) raw.destroy()
        }
        raw.on('data', count)
        const link = new RemoteLink(webSocket, raw, MOST_BYTES, heartbeat)
        void this.#take(link, authkey, raw.remoteAddress).then(() => raw.off('data', count))
      })
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', cause => {
        reject(
          new CrossmemError('ERR_OS', `the manager can't listen at ${host}:${port}: ${cause.message}`, {
            cause,
          }),
        )
      })
      server.listen(port, host, resolve)
    })
    const { address, family, port: found } = server.address() as AddressInfo
    const shown = host === 'localhost' ? host : family === 'IPv6' ? `[${address}]` : address
    this.url = `${tls ? 'wss' : 'ws'}://${shown}:${found}`
    this.#http = server
  }

  async #take(link: Link, key: Uint8Array | undefined, address?: string): Promise<void> {
    this.#links.add(link)
    void link.closed.then(() => this.#links.delete(link))
    this.#strangers.add(link)
    // Those that say nothing must not keep others out.
    const [oldest] = this.#strangers
    if (oldest && this.#strangers.size > MOST_STRANGERS) {
      oldest.destroy()
      this.#strangers.delete(oldest)
    }
    try {
      const pid = await greet(link, {
        instance: this.instance,
        limits: this.#settings.limits,
        key,
        refusal: () => this.#refusal(),
      })
      const client = new ServedClient(link, pid, {
        store: this.store,
        limits: this.#settings.limits,
        root: rootMethods(() => this.stats(), this.#settings.transit),
      })
      this.clients.add(client)
      void link.closed.then(() => {
        client.end()
        this.clients.delete(client)
        this.#calls += client.calls
      })
    } catch (error) {
      if ((error as CrossmemError).code === 'ERR_PERMISSION') this.#throttle.note(address)
    } finally {
      this.#strangers.delete(link)
    }
  }

  #refusal(): CrossmemError | undefined {
    const { maxClients } = this.#settings.limits
    if (this.clients.size < maxClients) return undefined
    return new CrossmemError('ERR_LIMIT', `it has ${maxClients} clients, which is its limit "maxClients"`)
  }
}

/** What a manager tells of itself. */
export interface ManagerStats {
  /** Its name in the domain. */
  name: string
  /** Where other machines reach it, if it listens for them. */
  url: string | undefined
  /** The ID of its process. */
  pid: number
  /** Its clients: their process IDs, how many objects they hold, how many calls they made. */
  clients: { pid: number; isRemote: boolean; objects: number; calls: number }[]
  /** How many objects live. */
  objects: number
  /** How many calls it has answered. */
  calls: number
}
