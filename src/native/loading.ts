import { CrossmemError } from '../errors.js'

// Loads the addon before anything else does, so that a failure is told in words with what to do.
// The generated loader tries several files and packages, and blames npm, whatever went wrong.

const OLDEST_NODE = 20
const SUPPORTED = ['linux-x64-gnu', 'linux-arm64-gnu', 'darwin-x64', 'darwin-arm64', 'win32-x64-msvc']

const major = Number.parseInt(process.versions.node, 10)
if (major < OLDEST_NODE) {
  throw new CrossmemError(
    'ERR_UNSUPPORTED',
    `crossmem needs Node ${OLDEST_NODE} or later, and this is ${process.version}`,
  )
}

try {
  require('../../dist/addon/index.js')
} catch (cause) {
  throw new CrossmemError('ERR_NO_ADDON', explain(reasons(cause).join('\n')), { cause })
}

/** The messages of an error and of those that caused it. */
function reasons(error: unknown): string[] {
  const { message, cause } = error as { message?: unknown; cause?: unknown }
  return [String(message ?? error), ...(cause === undefined || cause === null ? [] : reasons(cause))]
}

/** Why the addon wasn't loaded, and what to do, by the messages of the attempts to load it. */
function explain(text: string): string {
  if (/loading addons is disabled/.test(text)) {
    // Node has it if its permission model is on.
    return 'permission' in process && process.permission
      ? "Node's permission model keeps crossmem from loading its native addon; add --allow-addons (for a worker thread, to its execArgv too)"
      : 'Node was started with --no-addons, and crossmem has a native addon; start it without that flag'
  }
  if (/--allow-(ffi|env|read)/.test(text))
    return 'Deno may not load the native addon of crossmem; add --allow-ffi, --allow-read and --allow-env (or -A)'
  const glibc = /version [`'"]?(GLIBC_[\d.]+)/.exec(text)
  if (glibc) {
    return `the system's C library is too old for crossmem's native addon, which needs ${glibc[1]}; use a newer system or image`
  }
  const wanted = /'crossmem-((?!wasm)[\w-]+?)(?:\/package\.json)?'/.exec(text)?.[1]
  if (/-musl'|ld-linux|ld-musl/.test(text)) {
    return 'crossmem has no native addon for musl, the C library of Alpine; use a system or image with glibc, such as node:24-slim'
  }
  const broken =
    /ELF|Exec format|incompatible architecture|not a valid (Win32|mach-o)|cannot open shared object|file too short|mach-o/i
  if (broken.test(text)) {
    return `the native addon of crossmem is broken, or of another platform than this one (${process.platform} ${process.arch}); remove node_modules and install again on this machine`
  }
  if (wanted !== undefined && SUPPORTED.includes(wanted)) {
    return `the package crossmem-${wanted}, which has the native addon of crossmem for this platform, is not installed; install without --omit=optional, on this platform itself. A bundler must leave crossmem out of the bundle`
  }
  return `crossmem has no native addon for ${wanted ?? `${process.platform} ${process.arch}`}; it has one for ${SUPPORTED.join(', ')}`
}
