//! The guard against allocation is armed: otherwise the other tests would prove nothing of it.

use std::process::Command;

/// Set in the process that is to allocate.
const ALLOCATE: &str = "ANTIPHON_TEST_ALLOCATE";

#[test]
fn allocating_under_the_guard_ends_the_process() {
    if std::env::var_os(ALLOCATE).is_some() {
        nice_assert_no_alloc::assert_no_alloc(|| std::hint::black_box(Vec::<u8>::with_capacity(100)));
        return;
    }
    let program = std::env::current_exe().unwrap();
    let name = "guard::allocating_under_the_guard_ends_the_process";
    let run = |allocate: bool| {
        let mut command = Command::new(&program);
        if allocate {
            command.env(ALLOCATE, "1");
        } else {
            command.arg("--list");
        }
        command.args(["--exact", name]).output().unwrap().status.success()
    };
    assert!(run(false));
    assert!(!run(true));
}
