import { randomBytes } from 'node:crypto'

/** A name that no other test uses: segments of all domains share /dev/shm. */
export const unique = (name: string): string => `${name}-${randomBytes(6).toString('hex')}`

/** Importing this file gives the test file, and the children it starts, a domain of their own. */
process.env.CROSSMEM_DOMAIN = unique('test')
