import { CrossmemError, type CrossmemErrorCode } from '../errors.js'

/** Each node of a cluster counts only the subscribers of its own, so it can't tell who is alive. */
export const CLUSTER =
  'a server in cluster mode is not supported; connect to a single primary, with or without replicas'

/** What the code of an answer of the server means, and what to do. */
const meanings: Record<string, [CrossmemErrorCode, advice: string]> = {
  READONLY: ['ERR_READ_ONLY', 'the server is a replica; connect to its primary'],
  OOM: ['ERR_NO_SPACE', 'the server has no memory left for writes; raise maxmemory, or remove something'],
  WRONGTYPE: ['ERR_WRONG_KIND', 'the key belongs to another program; choose another name or prefix'],
  NOPERM: ['ERR_PERMISSION', "the server's user may not do this; docs/redis.md lists what it needs"],
  CLUSTERDOWN: ['ERR_UNSUPPORTED', CLUSTER],
  MOVED: ['ERR_UNSUPPORTED', CLUSTER],
  CROSSSLOT: ['ERR_UNSUPPORTED', CLUSTER],
  NOAUTH: ['ERR_PERMISSION', 'the server wants a password; give it to the client'],
  WRONGPASS: ['ERR_PERMISSION', "the server refuses the client's password or user"],
}

/** The server forgot an object or a script; the next call brings it back. */
export const isForgotten = (error: unknown): boolean => /^(GONE|NOGROUP)\b/.test(messageOf(error))
/** The server doesn't know a script, as after a restart. */
export const isUnknownScript = (error: unknown): boolean => /^NOSCRIPT\b/.test(messageOf(error))
/** The lease of this session has run out. */
export const isExpired = (error: unknown): boolean => /^EXPIRED\b/.test(messageOf(error))

/** Answers of servers begin with a word in capitals, as messages of clients don't. */
export const isAnswer = (error: unknown): boolean =>
  /^[A-Z]{2,}\b(?!:)/.test(messageOf(error)) && !hasErrno(error)

const hasErrno = (error: unknown): boolean => typeof (error as { errno?: unknown } | null)?.errno === 'number'

const messageOf = (error: unknown): string =>
  String((error as { message?: unknown } | null)?.message ?? error)

/** The error for what a client threw during a call. */
export function translated(error: unknown, name?: string): unknown {
  if (error instanceof CrossmemError) return error
  const message = messageOf(error)
  if (!isAnswer(error)) return disconnected('the connection to the server was lost', error)
  const [word = ''] = message.split(' ', 1)
  if (word === 'KIND') {
    const [, kind = '', wanted = ''] = message.split(' ')
    return new CrossmemError('ERR_WRONG_KIND', `"${name}" is a ${kind}, not a ${wanted}; choose another name`)
  }
  const [code, advice] = meanings[word] ?? ['ERR_SERVER', 'the server refuses the call']
  return new CrossmemError(code, `${advice}: ${message}`, { cause: error })
}

export const disconnected = (what: string, cause?: unknown): CrossmemError =>
  new CrossmemError(
    'ERR_DISCONNECTED',
    `${what}; whatever was held is gone, and a call that was under way may or may not have taken effect`,
    { cause },
  )
