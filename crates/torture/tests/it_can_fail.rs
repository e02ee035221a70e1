//! The torture finds violations in code that is broken on purpose.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::process::Command;

/// Tortures these operations with a fault in the code. Returns whether the harness found no
/// violation, and its output.
fn torture(fault: &str, operation: &str) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_crossmem-torture"))
        .args(["--minutes", "0", "--only", operation])
        .env("CROSSMEM_FAULT", fault)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), said)
}

#[test]
fn each_fault_is_a_violation() {
    for (fault, operation) in [
        ("ForgetDied", "mutex: take over"),
        ("RegistryUnrepaired", "create an object"),
        ("SpillStays", "queue: push a large message"),
        ("TornWriteUntold", "rwlock: take over"),
        ("PermitsOfTheDeadStay", "semaphore: recount"),
        ("TornUpdateUntold", "array: take over"),
        ("WriterSkipsReaders", "rwlock: read"),
        ("EndOfTheLivingTaken", "ring: push"),
    ] {
        let (content, said) = torture(fault, operation);
        assert!(!content && said.contains("VIOLATION"), "{fault} in {operation}: {said}");
    }
}

#[test]
fn without_a_fault_it_is_content() {
    let (content, said) = torture("", "mutex: take over");
    assert!(content && said.contains("1 passed, 0 failed"), "{said}");
}
