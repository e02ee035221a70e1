//! The program; `lib.rs` says what it does.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn main() -> std::process::ExitCode {
    crossmem_torture::main()
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn main() {
    eprintln!("this needs Linux on x86-64: it sets that processor's debug registers");
    std::process::exit(2);
}
