//! An export contains the whole plan: Ardour runs faster than real time, and a late note would be missing.

use super::ardour::Ardour;
use super::midi::{Message, Releases, keys_down};
use super::playing::Played;
use super::song::Song;

/// Sample of the song, and channel and key.
type TrackNote = (i64, (u8, u8));

/// Samples at the start of the song within which all notes count as its start: device latency shifts them early.
const EARLIEST: i64 = 256;

/// All note-ons before a sample of the song.
fn notes(messages: &[Message], end: i64) -> Vec<TrackNote> {
    let note_on = messages.iter().filter_map(|message| Some((message.song.max(EARLIEST), message.note_on()?)));
    note_on.filter(|&(sample, _)| sample < end).collect()
}

#[test]
#[ignore = "takes Ardour: cargo xtask ardour"]
fn export_has_the_whole_plan_at_any_block_size() {
    let played = Played::in_4_4();
    let song = played.song;
    let end = song.sample(song.plan() + Song::PLANNED * song.bar());
    // Each in its own instance, with an empty context.
    let [one, other] = ["512", "128"].map(|block| {
        let session = |attempt| played.copy(&format!("export-{block}-{attempt}"));
        let args = [block.to_owned(), song.press().to_string(), end.to_string()];
        let (report, _) = Ardour::installed().run("export.lua", session, &args, |_, _| {});
        let down = keys_down(report.sent(), Releases::Any).unwrap();
        assert!(down.is_empty(), "after the export these keys are down: {down:?}");
        notes(report.sent(), end)
    });
    for bar in 0..Song::PLANNED {
        let [from, until] = [bar, bar + 1].map(|bar| song.sample(song.plan() + bar * song.bar()) - EARLIEST);
        let count = one.iter().filter(|&&(sample, _)| (from..until).contains(&sample)).count();
        assert!(count >= 2, "bar {} of the export has {count} notes: {one:?}", Song::PLAYED + bar + 1);
    }
    let same = |a: &TrackNote, b: &TrackNote| a.1 == b.1 && (a.0 - b.0).abs() <= song.sample(1) + 1;
    let is_same = one.len() == other.len() && one.iter().zip(&other).all(|(a, b)| same(a, b));
    assert!(is_same, "the export depends on the length of the blocks: {one:?}\n{other:?}");
}
