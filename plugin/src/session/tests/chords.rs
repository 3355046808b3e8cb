//! Chords that the player chose, in what the worker is asked for.

use antiphon_engine::decode::Draw;
use antiphon_engine::plan::ChordChart;

use super::script::{BAR, BEAT, ScriptedHost, tune};

/// A host whose song loops over its first four bars, with this progression from bar 1 on.
fn host(progression: &str) -> ScriptedHost {
    let mut host = ScriptedHost::new(500);
    host.cycle = Some((0, 4 * BAR));
    choose(&host, progression);
    host
}

fn choose(host: &ScriptedHost, progression: &str) {
    let mut chart = ChordChart::default();
    chart.repeat(1, progression).unwrap();
    host.params.state.set_chart(chart);
}

/// Bars of the assignments, counted from the start of the clock, each with its chord.
fn chords(host: &ScriptedHost) -> Vec<(usize, String)> {
    let name = |chord: Option<antiphon_engine::music::analysis::Chord>| chord.map_or_else(String::new, |chord| chord.to_string());
    let of_assignment = |(line, chords): (i64, Vec<_>)| {
        let first = usize::try_from(line / BAR).unwrap();
        (first..).zip(chords.into_iter().map(name)).collect::<Vec<_>>()
    };
    host.script.chords().into_iter().flat_map(of_assignment).collect()
}

#[test]
fn bars_after_the_end_of_the_loop_have_the_chords_of_its_first_bars() {
    let mut host = host("Am F C G");
    host.play_to(6 * BAR, &tune(0, 24));
    let chords = chords(&host);
    assert!(chords.iter().any(|(bar, _)| *bar == 5), "{chords:?}");
    for (bar, chord) in chords {
        assert_eq!(chord, ["Am", "F", "C", "G"][bar % 4], "bar {bar} of the clock");
    }
}

#[test]
fn chosen_chords_condition_the_bars_of_the_plan() {
    let mut host = host("Am F C G");
    host.play_to(3 * BAR, &tune(0, 12));
    let (asked, prompts) = (host.script.chords(), host.script.prompts());
    assert!(asked.len() > 2 && asked.len() == prompts.len());
    for ((line, chords), prompt) in asked.iter().zip(&prompts) {
        let conditioned: Vec<_> =
            (0..prompt.gap.len()).map(|place| prompt.gap_bar(place, Draw::FIRST).unwrap().bar.fields.chords).collect();
        assert_eq!(conditioned, chords.iter().map(|chord| [*chord; 2]).collect::<Vec<_>>(), "plan from tick {line}");
        assert!(prompt.context.iter().all(|rows| rows.bar.fields.chords == [None; 2]), "what was played has no chosen chord");
    }
}

#[test]
fn change_of_a_chord_asks_for_another_plan_at_the_next_beat() {
    let mut host = host("Am");
    host.play_to(2 * BAR + BEAT + 6, &tune(0, 9));
    let before = (chords(&host).len(), host.script.requests().last().unwrap().0.plan);
    choose(&host, "E7");
    host.play_to(2 * BAR + 2 * BEAT + 6, &tune(0, 9));
    let after = chords(&host).split_off(before.0);
    assert!(after.len() >= 4 && after.iter().all(|(_, chord)| chord == "E7"), "{after:?}");
    assert_ne!(host.script.requests().last().unwrap().0.plan, before.1);
}

#[test]
fn song_without_chosen_chords_leaves_them_to_the_model() {
    let mut host = ScriptedHost::new(500);
    host.play_to(3 * BAR, &tune(0, 12));
    assert!(host.script.chords().iter().all(|(_, chords)| chords.is_empty()));
}
