//! What people's files have beside notes on a grid, through `antiphon continue`, `fill` and `accompany`: nothing is dropped, and what is made comes in the right
//! place, tempo and sound.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../../engine/tests/common/mod.rs"]
mod common;
#[path = "common/program.rs"]
mod program;

use std::fs;
use std::path::{Path, PathBuf};

use antiphon_engine::music::Clip;
use common::bytes::{ParsedTrack, file, meta, note, parsed, track};
use program::{clip, refusal, report, run, text};
use serde_json::Value;
use tempfile::TempDir;

/// Ticks of a quarter and of a bar of 4/4 in these files.
const QUARTER: u32 = 480;
const BAR: u32 = 4 * QUARTER;

/// A tune in quarters on channel 0 and chords of a bar on channel 1, `bars` long, the tune `shift` ticks late.
fn tune(bars: u32, shift: u32) -> Vec<(u32, Vec<u8>)> {
    let key = |beat: u32| [72, 74, 76, 79, 76, 74, 71, 67][usize::try_from(beat % 8).unwrap()];
    (0..4 * bars).flat_map(|beat| note(shift + beat * QUARTER, shift + beat * QUARTER + 430, 0, key(beat))).collect()
}

fn chords(bars: u32, shift: u32) -> Vec<(u32, Vec<u8>)> {
    let chord = |bar: u32| [[48, 60, 64], [45, 57, 60]][usize::try_from(bar % 2).unwrap()];
    (0..bars)
        .flat_map(|bar| chord(bar).into_iter().flat_map(move |key| note(shift + bar * BAR, shift + bar * BAR + 1800, 1, key)))
        .collect()
}

fn conductor(changes: &[(u32, u32)]) -> Vec<u8> {
    let metre = meta(0, 0x58, &[4, 2, 24, 8]);
    let tempo = |&(time, micros): &(u32, u32)| meta(time, 0x51, &micros.to_be_bytes()[1..]);
    track(0, [metre].into_iter().chain(changes.iter().map(tempo)).collect())
}

fn placed(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("song.mid");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// The first bar of a continuation of four bars, and its file.
fn continued(bytes: &[u8], arguments: &[&str]) -> (u64, Clip, PathBuf, TempDir) {
    let (folder, path) = placed(bytes);
    let out = folder.path().join("out");
    let common = [text(&path), "-o", text(&out), "--seed", "1", "--json", "--adventurousness", "1"];
    let report: Value = report(&run("continue", &[&common, arguments].concat()));
    let file = PathBuf::from(report["files"][0]["path"].as_str().unwrap());
    (report["files"][0]["start_bar"].as_u64().unwrap(), clip(&file), file, folder)
}

/// The file after `fill` or `accompany`.
fn edited(command: &str, bytes: &[u8], arguments: &[&str]) -> Vec<u8> {
    let (folder, path) = placed(bytes);
    let out = folder.path().join("out.mid");
    report(&run(command, &[&[text(&path), "-o", text(&out), "--seed", "2", "--json", "--adventurousness", "1"], arguments].concat()));
    fs::read(out).unwrap()
}

/// Everything that a file can hold beside notes: in a conductor's track, with a player, under the pedal, and in a track of text alone.
fn rich() -> Vec<u8> {
    let mut conductor =
        vec![meta(0, 0x58, &[4, 2, 24, 8]), meta(0, 0x51, &[9, 0x27, 0xC0]), meta(0, 0x03, b"Song"), meta(0, 0x02, b"(c) us")];
    conductor.extend([meta(0, 0x59, &[1, 0]), meta(2 * BAR, 0x06, b"Verse"), (3 * BAR, vec![0xF0, 4, 0x7E, 0x7F, 9, 0xF7])]);
    let mut player =
        vec![meta(0, 0x03, b"\x83s\x83A\x83m"), meta(0, 0x21, &[1]), (0, vec![0xB0, 0, 1]), (0, vec![0xB0, 32, 3]), (0, vec![0xC0, 73])];
    for beat in 0..32 {
        let time = beat * QUARTER;
        player.extend([
            (time, vec![0xE0, u8::try_from(beat).unwrap(), 64]),
            (time + 9, vec![0xB0, 1, 5]),
            (time + 19, vec![0xD0, 7]),
            meta(time, 0x05, b"la"),
        ]);
    }
    player.extend(tune(8, 0));
    player.push((6 * BAR, vec![0xC0, 65]));
    let mut piano = vec![meta(0, 0x03, b"Piano"), (0, vec![0xC1, 0])];
    for bar in 0..8 {
        piano.extend([(bar * BAR, vec![0xB1, 64, 127]), (bar * BAR + 1860, vec![0xB1, 64, 0])]);
    }
    piano.extend(chords(8, 0));
    let notes = vec![meta(0, 0x03, b"Notes to self"), meta(5, 0x01, b"only text")];
    file(1, 480, &[track(8 * BAR, conductor), track(8 * BAR, player), track(8 * BAR, piano), track(8 * BAR, notes)])
}

#[test]
fn fill_of_a_rich_file_leaves_everything_but_the_notes_of_its_bars() {
    let before = rich();
    let after = edited("fill", &before, &["--bars", "3..4"]);
    let (before, after) = (parsed(&before), parsed(&after));
    let inside = |note: &&(u32, u32, u8, u8)| (2 * BAR - 10..4 * BAR - 10).contains(&note.0);
    let parted = |tracks: &[ParsedTrack]| tracks.iter().flat_map(|track| &track.1).copied().partition::<Vec<_>, _>(|note| inside(&note));
    let ((old, outside), (new, still)) = (parted(&before), parted(&after));
    assert_eq!(outside, still, "notes outside the bars, with their own lengths");
    assert!(old != new && !new.is_empty(), "{new:?}");
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.0, after.0);
    }
}

#[test]
fn accompany_of_a_rich_file_adds_a_track_and_leaves_all_others_their_bytes() {
    let before = rich();
    let after = edited("accompany", &before, &["--roles", "bass"]);
    assert_eq!(after[..before.len()][14..], before[14..], "the tracks, byte for byte");
    let tracks = parsed(&after);
    assert_eq!(tracks.len(), 5);
    assert!(tracks[4].0.iter().any(|(_, event)| event.contains("ProgramChange { program: u7(33)")) && !tracks[4].1.is_empty());
}

#[test]
fn fill_of_a_file_in_a_riff_container_and_with_running_status_over_text_is_done() {
    let mut song = vec![0, 0x90, 72, 80];
    for beat in 0..31_u8 {
        song.extend([0x83, 0x60, 72 + (beat + 7) % 8, 0, 0, 72 + beat % 8, 80]);
        if beat == 15 {
            song.extend([0, 0xFF, 1, 2, b'%', b'+']);
        }
    }
    song.extend([0x83, 0x60, 60, 0, 0, 0xFF, 0x2F, 0]);
    let plain = file(0, 480, &[song]);
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let data = [&b"RMIDdata"[..], &size(&plain), &plain].concat();
    let after = edited("fill", &[&b"RIFF"[..], &size(&data), &data].concat(), &["--bars", "2"]);
    assert!(after.starts_with(b"MThd"));
    assert!(parsed(&after)[0].0.iter().any(|(time, event)| *time == 16 * QUARTER && event.contains("Text")));
}

#[test]
fn continuation_after_late_tempi_is_as_long_as_asked() {
    let song = file(1, 480, &[conductor(&[(0, 600_000), (100 * BAR, 400_000)]), track(0, tune(8, 0)), track(0, chords(8, 0))]);
    let (start, clip, path, _folder) = continued(&song, &[]);
    assert_eq!((start, clip.metres.bar_at(clip.end).index), (9, 4));
    let end = parsed(&fs::read(path).unwrap()).iter().flat_map(|track| track.0.iter().map(|event| event.0)).max();
    assert_eq!(end, Some(4 * 4 * 960), "no event behind the four bars");
}

#[test]
fn continuation_after_a_release_a_sixteenth_late_starts_on_the_next_bar() {
    let mut late = tune(8, 0);
    late.retain(|event| event.0 < 31 * QUARTER);
    late.extend(note(31 * QUARTER, 8 * BAR + 120, 0, 72));
    let song = |late| file(1, 480, &[conductor(&[]), track(0, late), track(0, chords(8, 0))]);
    assert_eq!(continued(&song(late.clone()), &[]).0, 9);
    late.pop();
    late.push((8 * BAR + 140, vec![0x80, 72, 64]));
    assert_eq!(continued(&song(late), &[]).0, 10, "later than that it sounds in the next bar");
}

#[test]
fn continuation_of_a_loop_whose_last_bar_rests_starts_behind_it_or_where_it_is_told() {
    let song = file(1, 480, &[conductor(&[]), track(4 * BAR, tune(3, 0)), track(4 * BAR, chords(3, 0))]);
    assert_eq!(continued(&song, &[]).0, 5);
    assert_eq!(continued(&song, &["--from", "4"]).0, 4);
    assert_eq!(continued(&song, &["--from", "3"]).0, 3);
    let (_folder, path) = placed(&song);
    let (early, late) = (refusal("continue", &[text(&path), "--from", "1"]), refusal("continue", &[text(&path), "--from", "40"]));
    assert!(
        early.contains("--from") && late.contains("song.mid: nothing plays in the 8 bars before bar 40") && late.contains("--from"),
        "{early}{late}"
    );
}

#[test]
fn continuation_after_a_ritardando_has_the_tempo_from_before() {
    let rit =
        [(0, 500_000), (7 * BAR, 600_000), (7 * BAR + QUARTER, 750_000), (7 * BAR + 2 * QUARTER, 1_000_000), (31 * QUARTER, 1_500_000)];
    let song = file(1, 480, &[conductor(&rit), track(0, tune(8, 0)), track(0, chords(8, 0))]);
    let (_, clip, ..) = continued(&song, &[]);
    assert_eq!(clip.tempos.changes().iter().map(|(tick, tempo)| (tick.0, tempo.micros_per_quarter())).collect::<Vec<_>>(), [(0, 500_000)]);
}

#[test]
fn continuation_counts_bars_behind_a_pickup_that_the_notes_show_or_that_is_named() {
    let mut melody = tune(8, QUARTER);
    melody.extend(note(0, 430, 0, 67));
    let song = file(1, 480, &[conductor(&[]), track(0, melody.clone()), track(0, chords(8, QUARTER))]);
    // The pickup is bar 1.
    assert_eq!(continued(&song, &[]).0, 10);
    assert_eq!(continued(&song, &["--pickup", "0"]).0, 10, "three beats of the ninth bar are lost");
    let (_folder, path) = placed(&song);
    let said = run("continue", &[text(&path), "-o", text(path.parent().unwrap()), "--bars", "1"]);
    assert!(String::from_utf8(said.stderr).unwrap().contains("song.mid: detected a pickup of 1 beat, counted as bar 1; use --pickup 0"));
    let tune_alone = file(1, 480, &[conductor(&[]), track(0, melody)]);
    let (_, _, path, _folder) = continued(&tune_alone, &["--pickup", "1"]);
    assert!(path.exists());
    let (_folder, path) = placed(&tune_alone);
    assert!(refusal("continue", &[text(&path), "--pickup", "4"]).contains("--pickup: 4 beats fill a bar of 4/4"));
}

#[test]
fn continuation_sounds_as_the_file_does_at_the_seam() {
    let set_up = track(
        0,
        vec![meta(0, 0x58, &[4, 2, 24, 8]), (0, vec![0xC0, 40]), (0, vec![0xB1, 0, 8]), (0, vec![0xC1, 33]), (6 * BAR, vec![0xC1, 34])],
    );
    let other_port = [vec![meta(0, 0x21, &[1]), (0, vec![0xC0, 56])], tune(8, 0)].concat();
    let song = file(1, 480, &[set_up, track(0, tune(8, 0)), track(0, chords(8, 0)), track(0, other_port)]);
    let (_, clip, ..) = continued(&song, &[]);
    let sound = |index: usize| {
        let part = &clip.parts[index];
        (part.setup.port, part.channel, part.setup.bank.coarse, part.program)
    };
    assert_eq!([sound(0), sound(1), sound(2)], [(None, 0, None, Some(40)), (None, 1, Some(8), Some(34)), (Some(1), 0, None, Some(56))]);
}

#[test]
fn continuation_keeps_names_in_their_own_encoding() {
    let name = b"\x83s\x83A\x83m";
    let song = file(1, 480, &[track(0, [vec![meta(0, 0x03, name)], tune(8, 0)].concat())]);
    let (_, _, path, _folder) = continued(&song, &[]);
    assert!(fs::read(Path::new(&path)).unwrap().windows(name.len()).any(|window| window == name));
}
