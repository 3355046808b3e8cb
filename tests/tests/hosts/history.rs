//! The history in the project: complete after reopening, and undo loses nothing.

use std::time::Duration;

use antiphon_engine::model::RUNTIME_VARIABLE;
use antiphon_engine::music::{MetreMap, Note, Role, Tempo, Tick};
use antiphon_engine::plan::{Brief, Controls, Fingerprint, HISTORY_BYTES, HISTORY_ENTRIES, Passage, Place, Plan, PlanId, Reason};
use antiphon_plugin::state::State;
use antiphon_tests::linked::take_ports;
use antiphon_tests::{Block, Class, Host, RollingTransport, Setup, Transport};
use serde_json::Value;

use crate::engine::{BAR, FRAMES, RATE, clip, roll};
use crate::{LOADED, MANUAL, Make};

/// Adds a plan of this many eighth notes to the history, as the session does.
pub(crate) fn suggest(state: &State, seed: u64, notes: i64, reason: Reason) {
    let (start, end) = (Tick(96), Tick(96 + 12 * notes));
    let note = |index| Note { onset: start + Tick(12 * index), offset: 1, duration: Tick(12), pitch: 60, velocity: 80, role: Role::Keys };
    let context = Fingerprint::SILENCE;
    let brief = Brief { plan: PlanId(seed), made_at: Tick(72), start, end, seed, controls: Controls::default(), context };
    let mut plan = Plan::new(brief);
    assert!(plan.append(&Passage { plan: PlanId(seed), from: start, until: end, notes: (0..notes).map(note).collect() }));
    let place = Place { bar: 2, line: start, metres: MetreMap::default(), tempo: Tempo::DEFAULT, played_from: None };
    state.edit(|history| {
        let id = history.push(plan, place, reason).unwrap();
        if reason == Reason::Kept {
            history.star(id).unwrap();
        }
    });
}

/// Seeds of a project's suggestions, oldest first.
pub(crate) fn seeds(state: &State) -> Vec<u64> {
    state.history().entries().iter().map(|entry| entry.plan().brief.seed).collect()
}

/// A project with these suggestions, the last of them kept.
pub(crate) fn project(make: Make, suggested: &[u64]) -> Vec<u8> {
    let mut host = make(Class::Instrument, Setup::default());
    let state = take_ports().state;
    for &seed in suggested {
        let reason = if Some(&seed) == suggested.last() { Reason::Kept } else { Reason::Played };
        suggest(&state, seed, 4, reason);
    }
    host.save()
}

/// Offset of the JSON in a chunk: CLAP's chunk begins with its length in eight bytes.
pub(crate) fn json_start(chunk: &[u8]) -> usize {
    let length = chunk.first_chunk().map(|length| u64::from_le_bytes(*length));
    if length.is_some_and(|length| length + 8 == chunk.len() as u64) { 8 } else { 0 }
}

/// The saved object in a chunk, besides the parameters.
pub(crate) fn saved(chunk: &[u8]) -> Value {
    let chunk: Value = serde_json::from_slice(&chunk[json_start(chunk)..]).unwrap();
    serde_json::from_str(chunk["fields"]["antiphon"].as_str().unwrap()).unwrap()
}

/// The suggestions in a chunk.
pub(crate) fn entries(chunk: &[u8]) -> Vec<Value> {
    saved(chunk)["history"]["entries"].as_array().unwrap().clone()
}

/// Number of kept suggestions.
pub(crate) fn kept(chunk: &[u8]) -> usize {
    entries(chunk).iter().filter(|entry| entry["starred"] == true).count()
}

/// Identity of an entry, independent of later changes.
fn name(entry: &Value) -> String {
    let brief = &entry["plan"]["brief"];
    format!("{} {} {}", brief["made_at"], brief["seed"], brief["context"])
}

#[test]
fn history_is_restored_after_reopening_and_undo_loses_nothing() {
    for (format, make) in MANUAL {
        let before = project(make, &[1, 2]);
        let chunk = project(make, &[1, 2, 3]);
        let mut host = make(Class::NoteFx, Setup::default());
        let state = take_ports().state;
        assert!(host.load(&chunk), "{format}");
        assert_eq!(seeds(&state), [1, 2, 3], "{format}");
        assert!(state.history().entries()[2].is_starred(), "{format}");
        assert_eq!(host.save(), chunk, "{format}");

        suggest(&state, 4, 4, Reason::Played);
        assert!(host.load(&before), "{format}");
        assert_eq!(seeds(&state), [1, 2, 3, 4], "{format}");
        // Another project's suggestions come first, and none is lost.
        assert!(host.load(&project(make, &[8, 9])), "{format}");
        assert_eq!(seeds(&state), [8, 9, 1, 2, 3, 4], "{format}");
    }
}

#[test]
fn full_history_stays_within_its_bounds_and_keeps_starred_entries() {
    for (format, make) in MANUAL {
        for (notes, count) in [(1, HISTORY_ENTRIES + 40), (1_500, 40)] {
            let mut host = make(Class::Instrument, Setup::default());
            let state = take_ports().state;
            let empty = host.save().len();
            suggest(&state, 1_000, notes, Reason::Kept);
            (0..count as u64).for_each(|seed| suggest(&state, seed, notes, Reason::Played));
            let chunk = host.save();
            assert!(chunk.len() <= empty + HISTORY_BYTES, "{format}: {} bytes", chunk.len());
            assert!(state.history().evicted() > 0 && state.history().entries().len() <= HISTORY_ENTRIES, "{format}");
            assert_eq!((seeds(&state)[0], kept(&chunk)), (1_000, 1), "{format}");
            let mut other = make(Class::Instrument, Setup::default());
            assert!(other.load(&chunk), "{format}");
            assert_eq!(entries(&other.save()), entries(&chunk), "{format}");
        }
    }
}

#[test]
fn saving_while_suggestions_arrive_saves_complete_ones() {
    for (format, make) in MANUAL {
        let mut host = make(Class::Instrument, Setup::default());
        let state = take_ports().state;
        std::thread::scope(|scope| {
            let session = scope.spawn(|| (0..200).for_each(|seed| suggest(&state, seed, 20, Reason::Played)));
            let mut saved = 0;
            while !session.is_finished() {
                let now = entries(&host.save()).len();
                assert!(now >= saved, "{format}: {now} after {saved}");
                saved = now;
            }
        });
        assert_eq!(entries(&host.save()).len(), 200, "{format}");
    }
}

/// Plays, keeps, requests another, plays it, stops; then an undo, and the project is reopened.
fn keep_and_reopen(format: &str, make: Make) {
    let mut host = make(Class::Instrument, Setup { sample_rate: RATE, ..Setup::default() });
    host.set("Seed", 0.3);
    let empty = host.save();
    assert_eq!(entries(&empty), [] as [Value; 0], "{format}");
    let mut song = RollingTransport::new(120.0, RATE);
    roll(&mut *host, &mut song, &clip(3), 3 * BAR);
    // A slow machine may need more bars.
    while kept(&host.save()) == 0 && song.played < 40 * BAR {
        press(&mut *host, &mut song, "Keep", BAR / 2);
    }
    let early = host.save();
    assert_eq!(kept(&early), 1, "{format}");
    press(&mut *host, &mut song, "Another", BAR);
    while !entries(&host.save()).iter().any(|entry| entry["reason"] == "heard") && song.played < 80 * BAR {
        press(&mut *host, &mut song, "Play", BAR);
    }
    stop(&mut *host, &song);
    let late = host.save();
    let reasons: Vec<_> = entries(&late).iter().map(|entry| entry["reason"].as_str().unwrap().to_owned()).collect();
    for reason in ["kept", "heard", "rerolled"] {
        assert!(reasons.iter().any(|other| other == reason), "{format}: {reasons:?}");
    }

    // The host's undo.
    assert!(host.load(&early), "{format}");
    stop(&mut *host, &song);
    let chunk = host.save();
    let names: Vec<_> = entries(&chunk).iter().map(name).collect();
    assert!(entries(&late).iter().all(|entry| names.contains(&name(entry))), "{format}: an undo lost something");
    drop(host);

    let mut other = make(Class::Instrument, Setup { sample_rate: RATE, ..Setup::default() });
    assert!(other.load(&chunk), "{format}");
    assert_eq!(entries(&other.save()), entries(&chunk), "{format}");
    assert!(other.load(&empty), "{format}");
    assert_eq!(entries(&other.save()), entries(&chunk), "{format}");
}

/// Presses a button for this many samples.
fn press(host: &mut dyn Host, song: &mut RollingTransport, name: &str, length: u64) {
    for (value, length) in [(1.0, length), (0.0, u64::from(FRAMES))] {
        host.set(name, value);
        let until = song.played + length;
        roll(host, song, &[], until);
    }
}

/// Stops the transport, and gives the session time to process it.
fn stop(host: &mut dyn Host, song: &RollingTransport) {
    let stopped = Transport { playing: false, ..song.transport() };
    for _ in 0..10 {
        host.process(&Block { frames: FRAMES, transport: Some(stopped), ..Block::default() });
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn kept_played_and_rerolled_plans_are_saved_with_the_project() {
    assert!(std::env::var_os(RUNTIME_VARIABLE).is_some(), "run `cargo xtask test`, or name ONNX Runtime with {RUNTIME_VARIABLE}");
    std::thread::scope(|scope| {
        for (format, make) in LOADED {
            scope.spawn(move || keep_and_reopen(format, make));
        }
    });
}
