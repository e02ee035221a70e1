import { ClusterWorker, type TaskFunctions } from 'poolifier'
import { tasks } from '../tasks.js'

export default new ClusterWorker(tasks as TaskFunctions)
