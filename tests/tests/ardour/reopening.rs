//! A project that is closed and reopened: no output, complete state, and it plays again.

use antiphon_engine::plan::Entry;

use super::ardour::Ardour;
use super::midi::{Releases, keys_down};
use super::playing::Played;
use super::project::Project;
use super::song::Song;

#[test]
#[ignore = "takes Ardour: cargo xtask ardour"]
fn reopened_project_is_silent_and_complete_and_plays_again() {
    let (ardour, played) = (Ardour::installed(), Played::in_4_4());
    let song = played.song;
    let before = Project::read(&played.session);
    assert!(!before.saved.history.entries().is_empty(), "the project was saved without a history");
    let end = song.plan() + Song::PLANNED * song.bar();
    let args = [song.press(), song.sample(end)].map(|sample| sample.to_string());
    let session = |attempt| played.copy(&format!("reopened-{attempt}"));
    ardour.run("reopen.lua", session, &args, |report, session| {
        let (stopped, rolling) = report.sent_around("roll");
        assert!(stopped.is_empty(), "while the transport was stopped, {} messages were sent: {stopped:#?}", stopped.len());
        assert_eq!(report.parameters, played.report.parameters, "the settings are not those that were saved");
        let after = Project::read(session);
        let entries = |project: &Project| project.saved.history.entries().iter().map(Entry::clone).collect::<Vec<_>>();
        let (kept, known) = (entries(&before), entries(&after));
        assert!(kept.iter().all(|entry| known.contains(entry)), "of the history {kept:#?}\nthis is left: {known:#?}");

        let down = keys_down(rolling, Releases::Any).unwrap();
        assert!(down.is_empty(), "keys are down at the end: {down:?}");
        let planned = rolling.iter().filter(|message| message.note_on().is_some() && message.song >= song.sample(song.plan()));
        assert!(planned.count() >= 8, "the plan is not played: {rolling:#?}");
    });
}
