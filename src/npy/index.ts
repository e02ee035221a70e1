export {
  decodeNpyHeader,
  encodeNpyHeader,
  LONGEST_HEADER,
  type NpyHeader,
} from './header.js'
export { readNpy } from './read-file.js'
export { toNative } from './swap.js'
export { writeWhole } from './write-file.js'
export { readNpz, writeNpz } from './zip.js'
