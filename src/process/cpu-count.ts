import { availableParallelism } from 'node:os'

/** How many processes can run at once: `os.availableParallelism()`. */
export const cpuCount = (): number => availableParallelism()
