//! The build for 64-bit Arm Linux, in an emulator, beside the build for this system: `cargo xtask test --arm` builds both and runs these.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use antiphon_engine::music::smf;
use antiphon_tests::foreign::{OFFLINE, assert_same_file, assert_same_picture, clip, named, text_of};
use antiphon_tests::library;

/// A program of the build for Arm. It finds the ONNX Runtime of that build beside itself.
fn emulated(variable: &str) -> Command {
    let mut command = Command::new("qemu-aarch64");
    command.arg(named(variable)).env_remove("ANTIPHON_ONNXRUNTIME");
    command
}

#[test]
#[ignore = "needs the Arm build: cargo xtask test --arm"]
fn command_line_writes_the_files_of_this_system() {
    let folder = tempfile::tempdir().unwrap();
    let [here, there] = ["here", "there"].map(|name| folder.path().join(name));
    for (mut start, out) in [(Command::new(named("ANTIPHON_LINUX_CLI")), &here), (emulated("ANTIPHON_ARM_CLI"), &there)] {
        text_of(start.arg("continue").arg(clip("waltz.mid")).args(["--bars", "2", "--seed", "7", "-o"]).arg(out));
    }
    assert_same_file(&here, &there, "waltz-seed7.mid");
}

#[test]
#[ignore = "needs the Arm build: cargo xtask test --arm"]
fn offline_suggestion_in_a_clap_host_equals_that_of_this_system() {
    let folder = tempfile::tempdir().unwrap();
    let [here, there] = ["here", "there"].map(|name| folder.path().join(name));
    let bundle = folder.path().join("Antiphon.clap");
    // Copies: the library looks for ONNX Runtime beside itself, which is not where a link to it lies.
    fs::copy(library::path(), &bundle).unwrap();
    fs::copy(named("ANTIPHON_ONNXRUNTIME"), folder.path().join("libonnxruntime.so")).unwrap();
    let play = |mut demo: Command, bundle: &Path, out: &Path| {
        // As the demo's own child process, which the emulator cannot start.
        demo.env("ANTIPHON_DEMO_INSIDE", "1").env("ANTIPHON_REPORT", folder.path().join("report"));
        text_of(demo.args(OFFLINE).arg("--bundle").arg(bundle).arg("--clip").arg(clip("waltz.mid")).arg("--out").arg(out))
    };
    play(Command::new(env!("CARGO_BIN_EXE_demo")), &bundle, &here);
    play(emulated("ANTIPHON_ARM_DEMO"), &named("ANTIPHON_ARM_CLAP"), &there);
    assert!(smf::read_file(&there.join("suggestion.mid")).unwrap().clip.note_count() > 0);
    for name in ["suggestion.mid", "song.mid"] {
        assert_same_file(&here, &there, name);
    }
    assert_same_picture(&here, &there, "roll.png");
}
