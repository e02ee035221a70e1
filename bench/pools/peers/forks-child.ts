import { type TaskName, tasks } from '../tasks.js'

process.on('message', async ({ task, argument }: { task: TaskName; argument: never }) => {
  await tasks[task](argument)
  process.send?.('done')
})
