//! An export has every note that playing has.

use super::ardour::Ardour;
use super::midi::{Message, keys_down};
use super::playing::Played;
use super::song::Song;

/// Song's sample, and channel and key.
type Struck = (i64, (u8, u8));

/// Every note.
fn notes(messages: &[Message]) -> Vec<Struck> {
    messages.iter().filter_map(|message| Some((message.song, message.struck()?))).collect()
}

#[test]
#[ignore = "takes Ardour: cargo xtask ardour"]
fn an_export_has_every_note_of_the_plan() {
    let (ardour, played) = (Ardour::installed(), Played::in_4_4());
    let (song, session) = (played.song, played.copy("exported"));
    let end = song.plan() + Song::PLANNED * song.bar();
    let report = ardour.run("export.lua", &session, &[song.press(), song.sample(end)].map(|sample| sample.to_string()));

    let (playing, exported) = (report.sent_around("playing").1, report.sent_around("export").1);
    let playing = &playing[..playing.len() - exported.len()];
    assert!(keys_down(exported).unwrap().is_empty());
    let (heard, written) = (notes(playing), notes(exported));
    let plan = song.sample(song.plan());
    let split = |notes: &[Struck]| notes.iter().copied().partition::<Vec<_>, _>(|&(sample, _)| sample < plan);
    let ((heard_thru, heard_plan), (written_thru, written_plan)) = (split(&heard), split(&written));
    assert_eq!(written_thru, heard_thru, "what was played is exported otherwise");
    println!("{} notes of the plan were played, {} exported", heard_plan.len(), written_plan.len());
    assert_eq!(written_plan, heard_plan, "the plan is exported otherwise than it was played");
}
