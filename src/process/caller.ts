import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The file that called `callee`, as a URL; the working directory if the runtime doesn't tell. */
export function callerOf(callee: (...args: never[]) => unknown): string {
  const [site] = sitesAbove(callee)
  const file = site?.getFileName?.()
  if (file?.startsWith('file:')) return file
  const isPath = file !== undefined && file !== null && /^(\/|[A-Za-z]:[\\/])/.test(file)
  return pathToFileURL(isPath ? file : join(process.cwd(), 'caller.js')).href
}

function sitesAbove(callee: (...args: never[]) => unknown): NodeJS.CallSite[] {
  const { prepareStackTrace, stackTraceLimit } = Error
  // Intrinsics may be frozen.
  Reflect.set(Error, 'prepareStackTrace', (_: unknown, sites: NodeJS.CallSite[]) => sites)
  Reflect.set(Error, 'stackTraceLimit', 1)
  try {
    const holder: { stack?: unknown } = {}
    Error.captureStackTrace(holder, callee)
    return Array.isArray(holder.stack) ? (holder.stack as NodeJS.CallSite[]) : []
  } finally {
    Reflect.set(Error, 'prepareStackTrace', prepareStackTrace)
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}
