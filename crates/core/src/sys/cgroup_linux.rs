//! The memory limits of the cgroups that this process is in, of both versions (the kernel's
//! `admin-guide/cgroup-v2.rst` and `cgroup-v1/memory.rst`).
//!
//! Shared memory is charged page by page to the cgroup of the process that reserves it. Beyond the
//! limit the kernel drops page cache and swaps; then it kills. Beyond `memory.high` it makes the
//! process wait. It never fails the reservation, so crossmem has to ask first.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::room::{Headroom, Limit};

/// A version's files in the directory of a cgroup.
struct Files {
    /// Limits, and the bytes that are charged against them.
    limits: &'static [&'static str],
    usage: &'static str,
    /// The limit of swap alone, and its usage (version 2).
    swap: Option<[&'static str; 2]>,
    /// The limit of memory and swap together, and its usage (version 1).
    both: Option<[&'static str; 2]>,
    /// Lines of `memory.stat` that count what the kernel can drop.
    droppable: &'static [&'static str],
    /// Whether children are charged to the cgroup, too; 0: they aren't.
    hierarchy: Option<&'static str>,
}

const V2: Files = Files {
    limits: &["memory.max", "memory.high"],
    usage: "memory.current",
    swap: Some(["memory.swap.max", "memory.swap.current"]),
    both: None,
    droppable: &["active_file", "inactive_file", "slab_reclaimable"],
    hierarchy: None,
};

const V1: Files = Files {
    limits: &["memory.limit_in_bytes"],
    usage: "memory.usage_in_bytes",
    swap: None,
    both: Some(["memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes"]),
    droppable: &["total_active_file", "total_inactive_file"],
    hierarchy: Some("memory.use_hierarchy"),
};

/// The cgroups of this process in one hierarchy, its own first.
type Hierarchy = (&'static Files, Vec<PathBuf>);

/// Version 1 states "no limit" as the largest multiple of a page.
const UNLIMITED: u64 = 1 << 62;

/// The cgroups of this process as they were found, and when. To find them takes the kernel longer
/// than to reserve a mebibyte, and a process is moved to another cgroup rarely.
static FOUND: Mutex<Option<(Instant, Vec<Hierarchy>)>> = Mutex::new(None);

/// How long they are used again, and up to which reservation: a larger one takes longer itself.
const FRESH: Duration = Duration::from_secs(1);
const SMALL: u64 = 16 << 20;

/// The limit with the least room, of those that may have less than `needed` bytes left, for a
/// reservation of `wanted` bytes. `swap` is the machine's free swap space.
pub(super) fn tightest(wanted: u64, needed: u64, swap: u64) -> Option<Headroom> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let (_, hierarchies) = match found.take() {
        Some(fresh) if wanted <= SMALL && fresh.0.elapsed() < FRESH => found.insert(fresh),
        _ => found
            .insert((Instant::now(), hierarchies(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo")))),
    };
    tightest_of(hierarchies, needed, swap)
}

fn tightest_of(hierarchies: &[Hierarchy], wanted: u64, swap: u64) -> Option<Headroom> {
    let mut found: Option<Headroom> = None;
    for (files, levels) in hierarchies {
        for at in 0..levels.len() {
            let rooms = rooms(files, &levels[..=at], wanted, swap);
            let uncharged = || files.hierarchy.is_some_and(|file| number(&levels[at].join(file)) == Some(0));
            if at > 0 && !rooms.is_empty() && uncharged() {
                break;
            }
            found = found.into_iter().chain(rooms).min_by_key(|room| room.free);
        }
    }
    found
}

/// The limits of the last of these cgroups that may have less than `wanted` bytes left. The others
/// are below it. Usually there is no limit, and one file is read.
fn rooms(files: &Files, levels: &[PathBuf], wanted: u64, swap: u64) -> Vec<Headroom> {
    let Some(level) = levels.last() else { return Vec::new() };
    let limit =
        |file: &'static str| Some((file, number(&level.join(file)).filter(|&limit| limit < UNLIMITED)?));
    let room = |(file, total): (&str, u64), usage: &str, swap: &dyn Fn() -> u64| {
        let free = total.saturating_sub(number(&level.join(usage))?);
        // Only now `memory.stat`, for which the kernel has to add up counters.
        let more = || droppable(files, level).saturating_add(swap());
        let free = if free >= wanted { free } else { free.saturating_add(more()).min(total) };
        (free < wanted).then(|| Headroom { limit: Limit::Cgroup(level.join(file)), total, free })
    };
    let limits: Vec<_> = files.limits.iter().filter_map(|file| limit(file)).collect();
    // The limit of both together is never below that of memory.
    let both = files.both.filter(|_| !limits.is_empty());
    let both = both.and_then(|[file, usage]| room(limit(file)?, usage, &|| 0));
    let swap = || levels.iter().filter_map(|level| swap_room(files, level)).fold(swap, u64::min);
    limits.into_iter().filter_map(|limit| room(limit, files.usage, &swap)).chain(both).collect()
}

/// The swap space that a cgroup may still use; `None` if it has no limit of its own.
fn swap_room(files: &Files, level: &Path) -> Option<u64> {
    let [limit, usage] = files.swap?;
    Some(number(&level.join(limit))?.saturating_sub(number(&level.join(usage))?))
}

/// Page cache and the like. It is counted whole: the kernel drops it before it kills.
fn droppable(files: &Files, level: &Path) -> u64 {
    let stat = fs::read_to_string(level.join("memory.stat")).unwrap_or_default();
    let lines = stat.lines().filter_map(|line| line.split_once(' '));
    lines
        .filter(|(key, _)| files.droppable.contains(key))
        .filter_map(|(_, bytes)| bytes.parse::<u64>().ok())
        .sum()
}

/// The number in a file; `None` if there is none, as in "max".
fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// For each version: the cgroup of this process, and those above it as far as they can be seen.
/// `cgroups` is `/proc/self/cgroup` (cgroups(7)), `mounts` is `/proc/self/mountinfo` (proc(5)).
fn hierarchies(cgroups: &str, mounts: &str) -> Vec<Hierarchy> {
    let mut found = Vec::new();
    for line in mounts.lines() {
        let Some((mount, kind)) = line.split_once(" - ") else { continue };
        let files = match kind.split(' ').collect::<Vec<_>>()[..] {
            ["cgroup2", ..] => &V2,
            ["cgroup", _, options] if options.split(',').any(|option| option == "memory") => &V1,
            _ => continue,
        };
        let fields: Vec<_> = mount.split(' ').collect();
        let [_, _, _, root, point, ..] = fields[..] else { continue };
        let own = cgroups.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            let is_ours = match files.swap {
                Some(_) => controllers.is_empty(),
                None => controllers.split(',').any(|controller| controller == "memory"),
            };
            is_ours.then_some(path)
        });
        let Some(own) = own else { continue };
        // A container sees a part of the hierarchy, whose root is its own cgroup.
        let inside = Path::new(own).strip_prefix(root).unwrap_or(Path::new(""));
        let levels = inside.ancestors().map(|level| Path::new(point).join(level));
        // The root of all has no limit, and one may be without the memory controller.
        let levels = levels.filter(|level| level.join(files.usage).exists()).collect();
        found.push((files, levels));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// A directory of files as the kernel shows them.
    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str, files: &[(&str, &str)]) -> Tree {
            let root = std::env::temp_dir().join(format!("crossmem-{}-{name}", std::process::id()));
            for (path, text) in files {
                let path = root.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, format!("{text}\n")).unwrap();
            }
            Tree(root)
        }

        fn mounted(&self, kind: &str, root: &str) -> String {
            format!("36 32 0:31 {root} {} rw,nosuid shared:9 - {kind}\n", self.0.display())
        }

        fn limit(&self, file: &str, total: u64, free: u64) -> Headroom {
            Headroom { limit: Limit::Cgroup(self.0.join(file)), total, free }
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_tightest_level_of_version_2_counts_and_page_cache_is_free() {
        let tree = Tree::new(
            "v2",
            &[
                ("memory.stat", "nothing 1"),
                ("a/memory.max", "104857600"),
                ("a/memory.high", "max"),
                ("a/memory.current", "83886080"),
                ("a/memory.stat", "anon 5\nfile 999999999\nactive_file 1048576\ninactive_file 2097152"),
                ("a/b/memory.max", "max"),
                ("a/b/memory.high", "max"),
                ("a/b/memory.current", "73400320"),
            ],
        );
        let mounts = tree.mounted("cgroup2 cgroup2 rw", "/");
        let ask = |wanted| tightest_of(&hierarchies("0::/a/b\n", &mounts), wanted, 0);
        assert_eq!(ask(20 * MIB), None, "without a look at the page cache");
        assert_eq!(ask(23 * MIB), None);
        assert_eq!(ask(24 * MIB), Some(tree.limit("a/memory.max", 100 * MIB, 23 * MIB)));
        assert_eq!(tightest_of(&hierarchies("0::/\n", &mounts), u64::MAX, 0), None, "the root has no limit");
        assert_eq!(tightest_of(&hierarchies("", &mounts), u64::MAX, 0), None);
        assert_eq!(tightest_of(&hierarchies("0::/a/b\n", ""), u64::MAX, 0), None);
    }

    #[test]
    fn memory_high_is_a_limit_and_swap_is_room_as_far_as_the_cgroup_may_use_it() {
        let tree = Tree::new(
            "high",
            &[
                ("memory.max", "104857600"),
                ("memory.high", "52428800"),
                ("memory.current", "41943040"),
                ("memory.swap.max", "3145728"),
                ("memory.swap.current", "1048576"),
            ],
        );
        let mounts = tree.mounted("cgroup2 cgroup2 rw", "/docker/1234");
        let ask = |swap| tightest_of(&hierarchies("0::/docker/1234\n", &mounts), u64::MAX, swap);
        assert_eq!(ask(0), Some(tree.limit("memory.high", 50 * MIB, 10 * MIB)));
        assert_eq!(ask(MIB), Some(tree.limit("memory.high", 50 * MIB, 11 * MIB)));
        assert_eq!(ask(u64::MAX), Some(tree.limit("memory.high", 50 * MIB, 12 * MIB)));
    }

    #[test]
    fn version_1_is_read_in_a_container_that_sees_its_own_part() {
        let tree = Tree::new(
            "v1",
            &[
                ("memory.limit_in_bytes", "104857600"),
                ("memory.usage_in_bytes", "104857600"),
                ("memory.memsw.limit_in_bytes", "157286400"),
                ("memory.memsw.usage_in_bytes", "125829120"),
                ("memory.stat", "inactive_file 7\ntotal_inactive_file 1048576\ntotal_active_file 0"),
                ("memory.use_hierarchy", "1"),
                ("inner/memory.limit_in_bytes", "9223372036854771712"),
                ("inner/memory.usage_in_bytes", "0"),
            ],
        );
        let mounts = tree.mounted("cgroup cgroup rw,memory", "/docker/1234");
        let cgroups = "9:cpu:/elsewhere\n4:memory:/docker/1234/inner\n0::/\n";
        let ask = |swap| tightest_of(&hierarchies(cgroups, &mounts), u64::MAX, swap);
        assert_eq!(ask(0), Some(tree.limit("memory.limit_in_bytes", 100 * MIB, MIB)));
        assert_eq!(ask(200 * MIB), Some(tree.limit("memory.memsw.limit_in_bytes", 150 * MIB, 31 * MIB)));
        fs::write(tree.0.join("memory.use_hierarchy"), "0\n").unwrap();
        assert_eq!(ask(0), None, "a parent that isn't charged");
    }
}
