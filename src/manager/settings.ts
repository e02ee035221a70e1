import { isIP } from 'node:net'
import type { TlsOptions } from 'node:tls'
import type { ProcessOptions } from '../process/index.js'
import {
  checkBoolean,
  checkCount,
  checkOptions,
  isUint8Array,
  type OptionNames,
  show,
} from '../util/index.js'
import { checkName, randomName } from './places.js'
import { DEFAULT_LIMITS, type Limits } from './protocol.js'
import { refused } from './values.js'

/** Where a manager can be reached from other machines. */
export interface ListenOptions {
  /** The address to listen at. Default: '127.0.0.1'. */
  host?: string
  /** The port; 0 takes a free one. Default: 0. */
  port?: number
  /**
   * The key that clients prove to have: 16 bytes or more, best 32 random ones. It is never sent.
   */
  authkey: string | Uint8Array
  /**
   * The certificate and its key, and whatever else `tls.createServer` takes: with `ca` and
   * `requestCert`, clients prove who they are by certificates of their own. Default: no TLS, for
   * loopback addresses only.
   */
  tls?: TlsOptions
  /** Listen without TLS at an address that other machines can reach. Default: false. */
  insecure?: boolean
  /**
   * A client from which nothing came for so many milliseconds counts as gone. Default: 15000.
   */
  heartbeat?: number
}

/** How a manager serves. */
export interface ServeOptions extends Partial<Limits> {
  /**
   * Its name in the domain, by which other processes connect: 1 to 48 letters, digits, dots,
   * hyphens and underscores. Default: a random one.
   */
  name?: string
  /** Listen for other machines, too. Default: no. */
  listen?: ListenOptions
  /**
   * How long a reference that was sent keeps its object alive, in milliseconds, also when the
   * sender has closed its own or was killed. Default: 60000.
   */
  transit?: number
}

/** How the process of a manager is started. */
export interface ManagerOptions
  extends ServeOptions,
    Pick<ProcessOptions, 'cwd' | 'env' | 'execArgv' | 'stdio'> {
  /**
   * Modules whose exported classes and functions clients can use with `create()`: URLs, paths or
   * packages. Default: none.
   */
  modules?: readonly (string | URL)[]
  /**
   * Whether it is started anew, without its objects, when its process dies. Default: false.
   */
  restart?: boolean
}

/** How a process connects to a manager of another machine. */
export interface ConnectOptions {
  /** The key that the manager listens with. */
  authkey?: string | Uint8Array
  /** Certificates of authorities that are trusted, as `tls.connect` takes them. Default: Node's. */
  ca?: string | Buffer | (string | Buffer)[]
  /** The client's own certificate, if the manager wants one. */
  cert?: string | Buffer
  /** The key of the client's certificate. */
  key?: string | Buffer
  /** Connect by `ws:` to an address that isn't a loopback one. Default: false. */
  insecure?: boolean
  /**
   * A manager from which nothing came for so many milliseconds counts as gone. Default: 15000.
   */
  heartbeat?: number
}

const LISTEN: OptionNames<ListenOptions> = {
  host: true,
  port: true,
  authkey: true,
  tls: true,
  insecure: true,
  heartbeat: true,
}

export const SERVE: OptionNames<ServeOptions> = {
  name: true,
  listen: true,
  transit: true,
  maxClients: true,
  maxObjects: true,
  maxCalls: true,
  maxMessageBytes: true,
}

const MANAGER: OptionNames<ManagerOptions> = {
  ...SERVE,
  modules: true,
  restart: true,
  cwd: true,
  env: true,
  execArgv: true,
  stdio: true,
}

const CONNECT: OptionNames<ConnectOptions> = {
  authkey: true,
  ca: true,
  cert: true,
  key: true,
  insecure: true,
  heartbeat: true,
}

/** How to listen, checked. */
export interface Listening {
  host: string
  port: number
  authkey: Uint8Array
  tls: TlsOptions | undefined
  heartbeat: number
}

/** How to serve, checked. */
export interface Served {
  name: string
  limits: Limits
  transit: number
  listen: Listening | undefined
}

/** How to serve in another process, checked. */
export interface Started extends Served {
  modules: string[]
  restart: boolean
  process: Pick<ProcessOptions, 'cwd' | 'env' | 'execArgv' | 'stdio'>
}

const HEARTBEAT = 15_000

export const checkServe = (options: ServeOptions | undefined): Served => served(checkOptions(options, SERVE))

export function checkStart(options: ManagerOptions | undefined): Started {
  const checked = checkOptions(options, MANAGER)
  const { modules = [], restart = false, cwd, env, execArgv, stdio } = checked
  if (!Array.isArray(modules)) throw refused(`modules is an array, not ${show(modules)}`)
  return {
    ...served(checked),
    modules: modules.map(String),
    restart: checkBoolean('restart', restart),
    process: withoutUndefined({ cwd, env, execArgv, stdio }),
  }
}

/** Options that are left out must not be there at all. */
const withoutUndefined = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T

function served(options: ServeOptions): Served {
  const { name, listen, transit = 60_000 } = options
  const limit = (which: keyof Limits, most: number): number =>
    checkCount(which, options[which] ?? DEFAULT_LIMITS[which], 1, most)
  return {
    name: name === undefined ? randomName() : checkName(name),
    limits: {
      maxClients: limit('maxClients', 1e6),
      maxObjects: limit('maxObjects', 1e8),
      maxCalls: limit('maxCalls', 1e7),
      maxMessageBytes: checkCount(
        'maxMessageBytes',
        options.maxMessageBytes ?? DEFAULT_LIMITS.maxMessageBytes,
        4096,
      ),
    },
    transit: checkCount('transit', transit, 0),
    listen: listen && checkListen(listen),
  }
}

function checkListen(given: ListenOptions): Listening {
  const options = checkOptions(given, LISTEN)
  const { host = '127.0.0.1', port = 0, tls, insecure = false, heartbeat = HEARTBEAT } = options
  if (typeof host !== 'string' || host === '')
    throw refused(`host is a name or an address, not ${show(host)}`)
  checkBoolean('insecure', insecure)
  if (!tls && !insecure && !isLoopback(host)) {
    throw refused(
      `${host} can be reached from other machines: pass a certificate in "tls", or { insecure: true } if the network is trusted`,
    )
  }
  return {
    host,
    port: checkCount('port', port, 0, 65_535),
    authkey: checkKey(options.authkey),
    tls,
    heartbeat: checkCount('heartbeat', heartbeat, 10),
  }
}

/** @throws {CrossmemError} ERR_INVALID_ARG */
export function checkKey(key: unknown): Uint8Array {
  const bytes = typeof key === 'string' ? Buffer.from(key) : key
  if (isUint8Array(bytes) && bytes.length >= 16) return bytes
  // The key itself must not get into a log.
  throw refused('authkey is a secret of 16 bytes or more, as a string or a Uint8Array')
}

/** Where and how to connect, checked. */
export interface Dialled extends Pick<ConnectOptions, 'ca' | 'cert' | 'key'> {
  url: URL
  authkey: Uint8Array
  heartbeat: number
}

export function checkConnect(url: URL, given: ConnectOptions | undefined): Dialled {
  const { authkey, ca, cert, key, insecure = false, heartbeat = HEARTBEAT } = checkOptions(given, CONNECT)
  checkBoolean('insecure', insecure)
  if (url.protocol === 'ws:' && !insecure && !isLoopback(url.hostname)) {
    throw refused(
      `${url.hostname} is another machine, and ws: isn't encrypted: connect by wss:, or pass { insecure: true } if the network is trusted`,
    )
  }
  return {
    url,
    authkey: checkKey(authkey),
    heartbeat: checkCount('heartbeat', heartbeat, 10),
    ...withoutUndefined({ ca, cert, key }),
  }
}

export function isLoopback(host: string): boolean {
  const plain = host.replace(/^\[|\]$/g, '')
  return plain === 'localhost' || plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'))
}
