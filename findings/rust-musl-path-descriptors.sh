#!/usr/bin/env bash
# Rust's `OpenOptions::custom_flags(O_PATH)` opens a file for reading where the target is musl, without
# an error: no descriptor that only names the file. With glibc it does what it says. musl counts O_PATH
# as an access mode (it is also O_SEARCH there, and part of O_ACCMODE), and the standard library removes
# access modes from custom flags. So a program that takes such a descriptor to have no rights, or to open
# a file that it may not read, does something else once it is built for Alpine.
#
# Seen with Rust 1.95. What to do: call `open` of the crate libc.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > flags.rs <<'END'
use std::fs::{read_to_string, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;

const O_PATH: i32 = 0o10000000;

fn main() {
    let file = OpenOptions::new().read(true).custom_flags(O_PATH).open("/").unwrap();
    let info = read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).unwrap();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim();
    println!("O_PATH is set: {}", i32::from_str_radix(flags, 8).unwrap() & O_PATH != 0);
}
END
rustc --version
seen=$(for libc in gnu musl; do
  rustup --quiet target add "x86_64-unknown-linux-$libc"
  rustc --target "x86_64-unknown-linux-$libc" -o "$libc" flags.rs
  echo "$libc: $("./$libc")"
done)
echo "$seen"

expected='gnu: O_PATH is set: true
musl: O_PATH is set: false'
[ "$seen" = "$expected" ] || { echo 'This has changed.' >&2; exit 1; }
