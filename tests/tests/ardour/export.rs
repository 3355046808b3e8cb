//! An export has every note that playing has.

use super::ardour::Ardour;
use super::midi::{Message, keys_down};
use super::playing::Played;
use super::song::Song;

/// Samples from the start of the song within which both count as its start.
const EARLIEST: i64 = 256;

/// Song's sample, and channel and key.
type Struck = (i64, (u8, u8));

/// Every note.
fn notes(messages: &[Message]) -> Vec<Struck> {
    messages.iter().filter_map(|message| Some((message.song, message.struck()?))).collect()
}

#[test]
#[ignore = "takes Ardour: cargo xtask ardour"]
fn an_export_has_every_note_that_playing_has() {
    let played = Played::in_4_4();
    let song = played.song;
    let end = song.sample(song.plan() + Song::PLANNED * song.bar());
    // Each in an instance of its own, which has heard nothing before.
    let [heard, written] = ["play", "export"].map(|way| {
        let report = Ardour::installed().run(
            "export.lua",
            &played.copy(&format!("export-{way}")),
            &[way.to_owned(), song.press().to_string(), end.to_string()],
        );
        let down = keys_down(report.sent()).unwrap();
        assert!(down.is_empty(), "after the {way} these keys are down: {down:?}");
        let mut notes = notes(report.sent());
        notes.retain(|&(sample, _)| sample < end);
        // What lies at the start of the song comes early, while it still stands, by what the devices delay: in an export by something else.
        notes.iter_mut().for_each(|(sample, _)| *sample = (*sample).max(EARLIEST));
        notes
    });
    let plan = song.sample(song.plan());
    let planned = |notes: &[Struck]| notes.iter().filter(|&&(sample, _)| sample >= plan).count();
    assert!(planned(&heard) >= 8, "only {} notes of the plan were played", planned(&heard));
    let same = |a: &Struck, b: &Struck| a.1 == b.1 && (a.0 - b.0).abs() <= song.sample(1) + 1;
    let is_same = written.len() == heard.len() && written.iter().zip(&heard).all(|(a, b)| same(a, b));
    let counts = (planned(&written), planned(&heard));
    assert!(is_same, "the export has {} notes of the plan, playing had {}\nexported {written:?}\nplayed {heard:?}", counts.0, counts.1);
}
