import { type TaskName, tasks } from '../tasks.js'

const run = ({ task, argument }: { task: TaskName; argument: never }): unknown => tasks[task](argument)

export = run
