import { spawnSync } from 'node:child_process'

interface Ran {
  stdout: string
  stderr: string
}

/** Runs a script in a mount namespace of its own, with a command behind it. */
export const inNamespace = (script: string, command: string[], env = process.env): Ran =>
  spawnSync('unshare', ['--mount', 'sh', '-c', `${script} && exec "$@"`, 'sh', ...command], {
    encoding: 'utf8',
    env,
  })

/** Whether a mount namespace is to be had. */
export const hasNamespaces =
  process.platform === 'linux' && inNamespace('true', ['echo', 'yes']).stdout === 'yes\n'

/** Mounts a /dev without shm/: it still needs the devices that Node opens. */
export const withoutShm = `
  mount -t tmpfs none /mnt &&
  for device in null zero random urandom; do
    touch "/mnt/$device" && mount --bind "/dev/$device" "/mnt/$device" || exit 1
  done
  mount --rbind /mnt /dev`
