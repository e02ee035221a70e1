import '../node-version.js'
import { CrossmemError } from '../errors.js'
import { PLATFORMS } from './platforms.js'

// Loads the addon before anything else does, so that a failure is told in words with what to do.
// The generated loader tries several files and packages, and blames npm, whatever went wrong.

/** What the dynamic loaders of glibc and musl say of a file that was built for the other one. */
const OTHER_LIBC = /\blibc\.(so|musl)\b|\bld-(linux|musl)|Error (relocating|loading shared library)/

try {
  require('../../dist/addon/index.js')
} catch (cause) {
  throw explain(cause)
}

/** The messages of an error and of those that caused it. */
function reasons(error: unknown): string[] {
  const { message, cause } = error as { message?: unknown; cause?: unknown }
  return [String(message ?? error), ...(cause === undefined || cause === null ? [] : reasons(cause))]
}

/** Why the addon wasn't loaded, and what to do, by the messages of the attempts to load it. */
function explain(cause: unknown): CrossmemError {
  const text = reasons(cause).join('\n')
  const refused = keptFromLoading(text)
  return refused !== undefined
    ? new CrossmemError('ERR_NO_ADDON', refused, { cause })
    : new CrossmemError('ERR_UNSUPPORTED_PLATFORM', noneThatFits(text), { cause })
}

/** There is an addon, and something keeps it from being loaded. */
function keptFromLoading(text: string): string | undefined {
  if (/loading addons is disabled/.test(text)) {
    // Node has it if its permission model is on.
    return 'permission' in process && process.permission
      ? "Node's permission model keeps crossmem from loading its native addon; add --allow-addons (for a worker thread, to its execArgv too)"
      : 'Node was started with --no-addons, and crossmem has a native addon; start it without that flag'
  }
  if (/--allow-(ffi|env|read)/.test(text))
    return 'Deno may not load the native addon of crossmem; add --allow-ffi, --allow-read and --allow-env (or -A)'
  const broken = /\bELF\b|Exec format|incompatible architecture|not a valid Win32|file too short|\bmach-o\b/
  if (broken.test(text) && !OTHER_LIBC.test(text))
    return `the native addon of crossmem is broken, or of another platform than this one (${process.platform} ${process.arch}); remove node_modules and install again on this machine`
  return undefined
}

/** What this platform is, which package it needs, and which are installed instead. */
function noneThatFits(text: string): string {
  const glibc = /version [`'"]?(GLIBC_[\d.]+)/.exec(text)
  if (glibc)
    return `the system's C library is too old for crossmem's native addon, which needs ${glibc[1]}; use a newer system or image`
  if (OTHER_LIBC.test(text))
    return `the native addon of crossmem that is installed was built for another C library than this system's (glibc and musl, which Alpine has, need one each); remove node_modules and install again on this system`
  const wanted =
    /'crossmem-((?!wasm)[\w-]+?)(?:\/package\.json)?'/.exec(text)?.[1] ??
    `${process.platform}-${process.arch}`
  if (!PLATFORMS.includes(wanted))
    return `crossmem has no native addon for ${wanted}; it has one for ${PLATFORMS.join(', ')}`
  const others = PLATFORMS.filter(isInstalled).map(platform => `crossmem-${platform}`)
  const found =
    others.length === 0 ? 'no other one is' : `${others.join(' and ')} is, which is for another platform`
  return `the package crossmem-${wanted}, which has the native addon of crossmem for this platform, is not installed (${found}); remove node_modules and install again on this platform itself, with optional dependencies (without --omit=optional). If the lock file was made on another platform and lacks the package, make it again. A bundler must leave crossmem out of the bundle`
}

function isInstalled(platform: string): boolean {
  try {
    require.resolve(`crossmem-${platform}/package.json`)
    return true
  } catch {
    return false
  }
}
