//! Bypass while the transport rolls: the time in it is neither planned nor missed, and nothing of the past is lost.

use antiphon_engine::plan::TakeMode;

use super::script::{BAR, ScriptedHost, tune};
use super::set;
use crate::meters::Count;

#[test]
fn time_in_bypass_is_no_load_and_planning_goes_on_after_it() {
    // More planning ticks than a session has reports in its queue.
    for bars in [3, 400] {
        let mut host = ScriptedHost::new(500);
        host.play_to(4 * BAR, &tune(0, 16));
        let before = host.status().plans;
        set(&host.params, "bypass", 1.0);
        let end = (4 + bars) * BAR + 7;
        host.play_to(end, &[]);
        assert!(host.shown().plan.is_none(), "what was planned is gone as soon as bypass begins");
        let jobs = host.script.jobs();
        set(&host.params, "bypass", 0.0);
        let again = end / BAR * BAR + BAR;
        host.play_to(again, &[]);
        assert!(host.script.jobs() <= jobs + 6, "{} jobs at once after {bars} bars", host.script.jobs() - jobs);
        host.play_to(again + 4 * BAR, &tune(again, 8));
        let after = host.status().plans;
        assert_eq!((before.late, after.late), (0, 0), "after {bars} bars");
        assert!(after.on_time > before.on_time && host.shown().plan.is_some());
        assert!(!host.status().remark.is_some_and(|remark| remark.contains("Catching up")));
        assert!(!host.script.varied().is_empty(), "variations are made in the rest");
        host.press("play");
        host.play_to(again + 7 * BAR, &[]);
        assert!(host.count(Count::Played) > 0);
    }
}

#[test]
fn take_stays_as_it_is_where_the_song_passed_in_bypass() {
    let mut host = ScriptedHost::new(500);
    host.cycle = Some((0, 4 * BAR));
    set(&host.params, "take", 1.0);
    assert_eq!(host.params.output.take(), TakeMode::Overwrite);
    host.play_to(BAR, &tune(0, 4));
    host.press("play");
    host.play_to(4 * BAR - 1, &[]);
    // Once bypass has ended, what is heard counts again: silence, in this stretch of the song.
    let (from, to) = (2 * BAR + 5, 2 * BAR + BAR / 2);
    let kept = |host: &ScriptedHost| {
        let take = host.params.state.take();
        take.notes().iter().filter(|note| !(from..to).contains(&note.note.onset.0)).copied().collect::<Vec<_>>()
    };
    let before = kept(&host);
    assert!(!before.is_empty());
    set(&host.params, "bypass", 1.0);
    host.play_to(8 * BAR + from, &[]);
    set(&host.params, "bypass", 0.0);
    host.play_to(8 * BAR + to, &[]);
    assert_eq!(kept(&host), before);
}
