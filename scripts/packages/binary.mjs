// What platform a native addon was built for, by the header of its file.

const ELF_PROCESSORS = { 62: 'x64', 183: 'arm64' }
const MACH_O_PROCESSORS = { 16777223: 'x64', 16777228: 'arm64' }
const PE_PROCESSORS = { 34404: 'x64', 43620: 'arm64' }

/**
 * The platform of an addon's file, as `linux-x64-gnu`; undefined if these bytes are no 64-bit
 * library for Node.
 */
export function platformOf(bytes) {
  // Node finds the addon by this symbol.
  if (!bytes.includes('napi_register_module_v1\0') || bytes.length < 64) return undefined
  if (bytes.readUInt32BE(0) === 0x7f454c46) return elf(bytes)
  if (bytes.readUInt32LE(0) === 0xfeedfacf) return named('darwin', MACH_O_PROCESSORS[bytes.readUInt32LE(4)])
  if (bytes.toString('latin1', 0, 2) === 'MZ') return pe(bytes)
  return undefined
}

function elf(bytes) {
  const [wide, littleEndian] = [bytes[4] === 2, bytes[5] === 1]
  if (!wide || !littleEndian) return undefined
  // A program names the library of glibc by this name; musl's has others.
  const libc = bytes.includes('libc.so.6\0') ? 'gnu' : 'musl'
  return named('linux', ELF_PROCESSORS[bytes.readUInt16LE(18)], libc)
}

function pe(bytes) {
  const at = bytes.readUInt32LE(0x3c)
  if (at + 6 > bytes.length || bytes.toString('latin1', at, at + 4) !== 'PE\0\0') return undefined
  return named('win32', PE_PROCESSORS[bytes.readUInt16LE(at + 4)], 'msvc')
}

function named(os, cpu, abi) {
  if (cpu === undefined) return undefined
  return [os, cpu, ...(abi === undefined ? [] : [abi])].join('-')
}
