//! What a host does with the libraries: scan, make instances, process, save and restore.

use std::fs;

use antiphon_tests::foreign::{clip, named, text_of, value};
use antiphon_tests::{ClapHost, Class, Host, Setup, Vst3Host};

use crate::windows::{Desktop, FORMATS, SMALL, seen};

#[test]
#[ignore = "needs the Windows build: cargo xtask test --windows"]
fn scan_lists_both_classes_and_leaves_the_model_alone() {
    let desktop = Desktop::start(SMALL);
    for (format, library) in FORMATS {
        let text = text_of(&mut desktop.host("scan", format, &named(library)));
        let classes: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("class ")).collect();
        // VST3 lists the processor alone: it is its own controller.
        assert_eq!(classes, ["Antiphon", "Antiphon Note FX"], "{format}");
        assert_eq!((value(&text, "runtime loaded"), value(&text, "unloaded")), ("false", "true"), "{format}");
    }
}

#[test]
#[ignore = "needs the Windows build: cargo xtask test --windows"]
fn fifty_instances_process_and_the_library_unloads() {
    let desktop = Desktop::start(SMALL);
    for (format, library) in FORMATS {
        let text = text_of(desktop.host("instances", format, &named(library)).args(["--count", "50"]));
        assert_eq!((value(&text, "processed"), value(&text, "unloaded")), ("50", "true"), "{format}");
    }
}

#[test]
#[ignore = "needs the Windows build: cargo xtask test --windows"]
fn process_allocates_nothing_while_player_and_plan_play() {
    let desktop = Desktop::start(SMALL);
    for (format, library) in FORMATS {
        let text = text_of(desktop.host("allocations", format, &named(library)).arg("--clip").arg(seen(&clip("pop.mid"))));
        let number = |name| value(&text, name).parse::<u64>().unwrap();
        assert!(number("allocations of an instance") > 100, "{format}: the count sees nothing: {text}");
        assert!(number("blocks") > 300, "{format}: {text}");
        assert_eq!(number("allocations in process"), 0, "{format}: {text}");
    }
}

/// A host of this system with an instance in a format.
fn linux_host(format: &str) -> Box<dyn Host> {
    match format {
        "clap" => Box::new(ClapHost::loaded(Class::Instrument, Setup::default())),
        _ => Box::new(Vst3Host::loaded(Class::Instrument, Setup::default())),
    }
}

#[test]
#[ignore = "needs the Windows build: cargo xtask test --windows"]
fn state_saved_on_one_system_is_restored_on_the_other() {
    let desktop = Desktop::start(SMALL);
    let folder = tempfile::tempdir().unwrap();
    for (format, library) in FORMATS {
        let [windows, again] = ["windows", "again"].map(|name| folder.path().join(format!("{name}.{format}")));
        let made = text_of(desktop.host("state", format, &named(library)).arg("--out").arg(seen(&windows)));
        let chunk = fs::read(&windows).unwrap();
        let mut linux = linux_host(format);
        assert!(linux.load(&chunk), "{format}");
        for name in ["Bars ahead", "Adventurousness", "Thru"] {
            assert_eq!(linux.get(name).to_string(), value(&made, name), "{format}, {name}");
        }
        assert_eq!((linux.get("Bars ahead"), linux.get("Thru")), (1.0, 0.0), "{format}: the state was made with these");
        let saved = linux.save();
        assert_eq!(saved, chunk, "{format}: the same state has the same bytes");
        // And back.
        linux.set("Bars ahead", 0.0);
        linux.process(&antiphon_tests::Block { frames: 64, ..antiphon_tests::Block::default() });
        let linux_chunk = folder.path().join(format!("linux.{format}"));
        fs::write(&linux_chunk, linux.save()).unwrap();
        let mut restore = desktop.host("state", format, &named(library));
        let restored = text_of(restore.arg("--in").arg(seen(&linux_chunk)).arg("--out").arg(seen(&again)));
        assert_eq!((value(&restored, "Bars ahead"), value(&restored, "Thru")), ("0", "0"), "{format}");
        assert_eq!(fs::read(&again).unwrap(), fs::read(&linux_chunk).unwrap(), "{format}");
    }
}
