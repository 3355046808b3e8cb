//! The build for 64-bit Arm Linux, in an emulator, beside the build for this system: `cargo xtask test --arm` builds both and runs these.
//!
//! Each test starts `small_host`, the demo or the command line in the emulator, and reads what they print and write.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use antiphon_engine::music::smf;
use antiphon_tests::foreign::{OFFLINE, assert_same_file, assert_same_picture, clip, named, text_of, value};
use antiphon_tests::{ClapHost, Class, Host, Setup, Vst3Host};

/// A plug-in format: the host's name of it, and the variable that names the library.
const FORMATS: [(&str, &str); 2] = [("clap", "ANTIPHON_ARM_CLAP"), ("vst3", "ANTIPHON_ARM_VST3")];

/// A program of the build for Arm. It finds the ONNX Runtime of that build beside itself.
fn emulated(variable: &str) -> Command {
    let mut command = Command::new("qemu-aarch64");
    command.arg(named(variable)).env_remove("ANTIPHON_ONNXRUNTIME");
    command
}

/// The host, with a command for a library.
fn host(command: &str, format: &str, library: &Path) -> Command {
    let mut host = emulated("ANTIPHON_ARM_HOST");
    host.args([command, format]).arg(library);
    host
}

#[test]
#[ignore = "needs the Arm build: cargo xtask test --arm"]
fn scan_lists_both_classes_and_leaves_the_model_alone() {
    for (format, library) in FORMATS {
        let text = text_of(&mut host("scan", format, &named(library)));
        let classes: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("class ")).collect();
        assert_eq!(classes, ["Antiphon", "Antiphon Note FX"], "{format}");
        assert_eq!((value(&text, "runtime loaded"), value(&text, "unloaded")), ("false", "true"), "{format}");
    }
}

#[test]
#[ignore = "needs the Arm build: cargo xtask test --arm"]
fn instances_of_both_classes_process() {
    for (format, library) in FORMATS {
        let text = text_of(host("instances", format, &named(library)).args(["--count", "4"]));
        assert_eq!(value(&text, "processed"), "4", "{format}");
    }
}

#[test]
#[ignore = "needs the Arm build: cargo xtask test --arm"]
fn state_saved_on_arm_is_restored_on_this_system() {
    let folder = tempfile::tempdir().unwrap();
    let here: [Box<dyn Host>; 2] =
        [Box::new(ClapHost::loaded(Class::Instrument, Setup::default())), Box::new(Vst3Host::loaded(Class::Instrument, Setup::default()))];
    for ((format, library), mut here) in FORMATS.into_iter().zip(here) {
        let saved = folder.path().join(format);
        let text = text_of(host("state", format, &named(library)).arg("--out").arg(&saved));
        let chunk = fs::read(&saved).unwrap();
        assert!(here.load(&chunk), "{format}");
        for name in ["Bars ahead", "Adventurousness", "Thru"] {
            assert_eq!(here.get(name).to_string(), value(&text, name), "{format}, {name}");
        }
        assert_eq!((here.get("Bars ahead"), here.get("Thru")), (1.0, 0.0), "{format}: the state was made with these");
        assert_eq!(here.save(), chunk, "{format}: the same state has the same bytes");
    }
}

/// Which notes a seed gives depends on the processor's instructions, in whose last bits ONNX Runtime's results differ. Here no choice of the
/// model is so close that it matters: another model may take another clip.
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

/// The demo fails if the clip does not pass through at its samples, or a note hangs.
#[test]
#[ignore = "needs the Arm build: cargo xtask test --arm"]
fn offline_suggestion_in_a_clap_host_is_the_same_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
    for out in [&first, &second] {
        let mut demo = emulated("ANTIPHON_ARM_DEMO");
        // As the demo's own child process, which the emulator cannot start.
        demo.env("ANTIPHON_DEMO_INSIDE", "1").env("ANTIPHON_REPORT", folder.path().join("report"));
        demo.args(OFFLINE).arg("--bundle").arg(named("ANTIPHON_ARM_CLAP"));
        text_of(demo.arg("--clip").arg(clip("waltz.mid")).arg("--out").arg(out));
    }
    assert!(smf::read_file(&first.join("suggestion.mid")).unwrap().clip.note_count() > 0);
    for name in ["suggestion.mid", "song.mid"] {
        assert_same_file(&first, &second, name);
    }
    assert_same_picture(&first, &second, "roll.png");
}
