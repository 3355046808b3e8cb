//! The allocation guard works: otherwise the other tests would prove nothing about allocations.

use std::process::Command;

/// Where the child process allocates: `inside` or `outside` the guard.
const ALLOCATE: &str = "ANTIPHON_TEST_ALLOCATE";

/// An allocation that the optimiser cannot remove.
fn allocate() {
    std::hint::black_box(Vec::<u8>::with_capacity(100));
}

#[test]
fn allocating_under_the_guard_ends_the_process() {
    if let Some(place) = std::env::var_os(ALLOCATE) {
        if place == "inside" {
            nice_assert_no_alloc::assert_no_alloc(allocate);
        } else {
            allocate();
        }
        return;
    }
    let program = std::env::current_exe().unwrap();
    let name = "guard::allocating_under_the_guard_ends_the_process";
    let run = |place: &str| Command::new(&program).env(ALLOCATE, place).args(["--exact", name]).output().unwrap();
    let outside = run("outside");
    assert!(outside.status.success() && String::from_utf8_lossy(&outside.stdout).contains("1 passed"), "{outside:?}");
    assert!(!run("inside").status.success());
}
