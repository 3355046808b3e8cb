//! Interrupting a playing plan leaves no key down.

use super::ardour::Ardour;
use super::midi::{Down, Releases, keys_down};
use super::playing::Played;
use super::project;
use super::report::Report;

/// Keys of the plan that Antiphon left down after an interruption.
fn left_down(report: &Report, what: &str) -> Down {
    let sounding = keys_down(report.sent_around(what).0, Releases::Any).unwrap();
    assert!(!sounding.is_empty(), "nothing sounded when it came to the {what}");
    // The messages since the last stop, after which no key was down.
    let (before, _) = report.sent_around(what);
    let quiet = (0..=before.len()).rev().find(|&count| keys_down(&before[..count], Releases::Any).unwrap().is_empty());
    let (until, _) = report.sent_around(&format!("stopped after {what}"));
    keys_down(&until[quiet.unwrap_or(0)..], Releases::Own).unwrap()
}

#[test]
#[ignore = "takes Ardour: cargo xtask ardour"]
fn no_note_hangs_after_loop_locate_bypass_or_removal() {
    let (ardour, played) = (Ardour::installed(), Played::in_4_4());
    let song = played.song;
    let session = |attempt| {
        let session = played.copy(&format!("interrupted-{attempt}"));
        project::add_loop(&session, song.plan() - song.bar(), song.plan() + song.bar());
        session
    };
    let args = [song.press(), song.sample(song.plan()), song.sample(song.bar())].map(|sample| sample.to_string());
    ardour.run("interrupt.lua", session, &args, |report, _| {
        for what in ["loop", "locate", "bypass"] {
            let left = left_down(report, what);
            assert!(left.is_empty(), "after the {what} these keys are down: {left:?}");
        }
        // Ardour removes or deactivates a plug-in without another block in which it could release keys; Ardour releases them when it stops.
        for what in ["deactivation", "removal"] {
            let (until, _) = report.arrived_around(&format!("stopped after {what}"));
            let down = keys_down(until, Releases::Downstream).unwrap();
            assert!(down.is_empty(), "when Ardour stopped after the {what} these keys were down: {down:?}");
        }
    });
}
