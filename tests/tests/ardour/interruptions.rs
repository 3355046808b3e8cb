//! Interruptions while the plan sounds leave no key down.

use super::ardour::Ardour;
use super::midi::{Message, keys_down};
use super::playing::Played;
use super::project;
use super::report::Report;

/// Keys that Antiphon left down after something was done, as far as it is for Antiphon to release them.
fn left_down(report: &Report, what: &str) -> Vec<Message> {
    let until = report.sent_around(&format!("stopped after {what}")).0;
    let done = report.sent_around(what).0.len();
    assert!(!keys_down(&until[..done]).unwrap().is_empty(), "nothing sounded when it came to the {what}");
    let own: Vec<_> =
        until.iter().enumerate().filter(|(at, message)| *at < done || !message.is_hosts_release()).map(|(_, &message)| message).collect();
    keys_down(&own).unwrap().into_values().collect()
}

#[test]
#[ignore = "takes Ardour: cargo xtask ardour"]
fn nothing_hangs_after_loop_locate_bypass_or_removal() {
    let (ardour, played) = (Ardour::installed(), Played::in_4_4());
    let (song, session) = (played.song, played.copy("interrupted"));
    project::add_loop(&session, song.plan() - song.bar(), song.plan() + song.bar());
    let args = [song.press(), song.sample(song.plan()), song.sample(song.bar())].map(|sample| sample.to_string());
    let report = ardour.run("interrupt.lua", &session, &args);
    for what in ["loop", "locate", "bypass"] {
        let left = left_down(&report, what);
        assert!(left.is_empty(), "after the {what} these keys are down: {left:?}");
    }
    // Ardour takes a plug-in away, or switches it off itself, without another block to release keys in; it releases them when it stops.
    for what in ["deactivation", "removal"] {
        let (until, _) = report.arrived_around(&format!("stopped after {what}"));
        let down = keys_down(until).unwrap();
        assert!(down.is_empty(), "when Ardour stopped after the {what} these keys were down: {down:?}");
    }
}
