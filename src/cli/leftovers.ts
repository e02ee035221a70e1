import type { AgentInfo, Inspection, ObjectInfo } from '../domain.js'

/** The agents and objects that the next sweep frees. */
export interface Leftovers {
  agents: AgentInfo[]
  objects: ObjectInfo[]
}

export const leftovers = ({ agents, objects }: Inspection): Leftovers => ({
  agents: agents.filter(agent => !agent.alive),
  objects: objects.filter(object => object.doomed),
})

export const bytesOf = (objects: readonly ObjectInfo[]): number =>
  objects.reduce((sum, object) => sum + object.byteLength, 0)
