//! Infill: marked bars of the song are filled by themselves, so that they lead into what follows.

use antiphon_engine::decode::Prompt;
use antiphon_engine::music::{Clip, Metre, MetreMap, Note, Part, Role, Tick};
use antiphon_engine::plan::{Plan, SongPosition};
use antiphon_engine::session::{Command, LockTarget};

use super::script::{BAR, BEAT, ScriptedHost, stroke};
use super::set;
use crate::meters::Count;
use crate::port::Event;

/// Notes: onset, pitch, duration in ticks.
type Notes = Vec<(i64, u8, i64)>;

/// A player who strikes a key of the bar's own on every beat of these bars of the clock.
fn tune(bars: impl IntoIterator<Item = i64>) -> Vec<(u32, Event)> {
    let pitch = |bar: i64| u8::try_from(62 + bar % 4).unwrap();
    bars.into_iter().flat_map(|bar| (0..4).flat_map(move |beat| stroke(bar * BAR + beat * BEAT, 18, pitch(bar)))).collect()
}

/// A host in Infill whose song begins at bar 1 and loops over four bars, with bars `from` on marked.
fn host(frames: u32, from: i64, bars: i64) -> ScriptedHost {
    let mut host = ScriptedHost::new(frames);
    host.cycle = Some((0, 4 * BAR));
    set(&host.params, "mode", 1.0);
    mark(&host, from, bars);
    host
}

/// Marks these bars.
fn mark(host: &ScriptedHost, from: i64, bars: i64) {
    let step = |value: i64, most: i64| (value - 1) as f32 / most as f32;
    set(&host.params, "infill_from", step(from, 998));
    set(&host.params, "infill_bars", step(bars, 7));
}

/// Bars of the clock in which planned notes start, counted from 0, each with their number and their key.
fn fills(host: &ScriptedHost) -> Vec<(i64, usize, u8)> {
    let mut bars: Vec<(i64, usize, u8)> = Vec::new();
    for (onset, pitch, _) in host.planned() {
        match bars.last_mut().filter(|(bar, ..)| *bar == onset / BAR) {
            Some((_, count, _)) => *count += 1,
            None => bars.push((onset / BAR, 1, pitch)),
        }
    }
    bars
}

/// Bars of the clock in which planned notes start.
fn filled(host: &ScriptedHost) -> Vec<(i64, usize)> {
    fills(host).into_iter().map(|(bar, count, _)| (bar, count)).collect()
}

/// The prompts of fills that lead into what follows.
fn leading(host: &ScriptedHost) -> Vec<Prompt> {
    host.script.prompts().into_iter().filter(|prompt| !prompt.far_side.is_empty()).collect()
}

#[test]
fn marked_bars_are_filled_in_each_pass_and_nothing_else_is() {
    let mut host = host(500, 3, 1);
    host.play_to(16 * BAR, &tune((0..16).filter(|bar| bar % 4 != 2)));
    assert_eq!(filled(&host), [(2, 4), (6, 4), (10, 4), (14, 4)]);
    assert_eq!([host.count(Count::Late), host.count(Count::NoRoom)], [0; 2]);
}

#[test]
fn song_of_the_bars_to_come_is_shown_without_earlier_fills() {
    let mut host = host(500, 3, 1);
    let player = tune((0..16).filter(|bar| bar % 4 != 2));
    host.play_to(5 * BAR + 10, &player);
    // In bar 2 of the second pass: the rest of it as in the first, the marked bar 3 empty, bars 4 and 1.
    let ahead: Vec<_> = host.shown().song_ahead.iter().map(|note| (note.onset.0, note.pitch)).collect();
    let bar = |bar: i64| (0..4).map(move |beat| (bar * BAR + beat * BEAT, u8::try_from(62 + bar % 4).unwrap()));
    let expected: Vec<_> = bar(5).skip(1).chain(bar(7)).chain(bar(8)).chain(bar(9)).collect();
    assert_eq!(ahead[..expected.len()], expected);
    set(&host.params, "mode", 0.0);
    host.play_to(6 * BAR, &player);
    assert!(host.shown().song_ahead.is_empty());
}

#[test]
fn fill_leads_into_what_follows_from_the_second_pass_on() {
    let mut host = host(500, 3, 1);
    host.play_to(BAR + 90, &tune([0, 1]));
    assert_eq!(host.status().remark.as_deref(), Some("Infill hears what follows bar 3 from the second pass on"));
    host.play_to(4 * BAR + 10, &tune([0, 1, 3, 4]));
    assert_eq!((leading(&host).len(), host.status().remark), (1, None), "it is requested as soon as it is known what follows");
    host.play_to(8 * BAR, &tune((0..8).filter(|bar| bar % 4 != 2)));
    // Bars 4, 1, 2 before the gap, and the same behind it, in the order in which they sound.
    let prompt = leading(&host).pop().unwrap();
    let keys = |bars: &[std::sync::Arc<antiphon_engine::decode::PromptBar>]| {
        bars.iter().map(|bar| bar.bar.notes.iter().map(|note| note.pitch).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    assert_eq!(keys(&prompt.context), [vec![65; 4], vec![62; 4], vec![63; 4]]);
    assert_eq!(keys(&prompt.far_side), [vec![65; 4], vec![62; 4], vec![63; 4]]);
    assert!(prompt.gap.len() == 1 && prompt.gap[0].given.is_empty());
}

#[test]
fn fill_stays_the_same_while_the_player_repeats_what_is_around_it() {
    let mut host = host(500, 3, 1);
    host.play_to(24 * BAR, &tune((0..24).filter(|bar| bar % 4 != 2)));
    let keys: Vec<u8> = fills(&host).into_iter().map(|(.., key)| key).collect();
    assert_eq!((keys.len(), &keys[1..]), (6, &[keys[1]; 5][..]), "{keys:?}");
    assert_eq!(leading(&host).len(), 1, "it is generated once");
    let plans = host.status().plans;
    assert!(plans.kept < plans.ticks && 2 * plans.kept > plans.ticks, "{plans:?}");
    host.play_to(32 * BAR, &tune((24..32).filter(|bar| bar % 4 == 0)));
    assert_ne!(fills(&host).last().map(|(.., key)| *key), Some(keys[1]), "the player plays something else around it");
}

#[test]
fn change_in_the_bar_before_the_marked_ones_is_heard_by_their_fill() {
    let mut host = host(500, 3, 1);
    let usual = tune((0..12).filter(|bar| bar % 4 != 2));
    host.play_to(9 * BAR, &usual);
    let before = host.script.prompts().len();
    // In bar 2 of the third pass the player strikes another key on the second beat.
    let mut other: Vec<_> = tune([8, 11]);
    other.extend(stroke(9 * BAR, 18, 63).into_iter().chain(stroke(9 * BAR + BEAT, 18, 70)));
    host.play_to(12 * BAR, &other);
    let last = host.script.prompts().split_off(before).remove(0);
    let heard: Vec<u8> = last.context.last().unwrap().bar.notes.iter().map(|note| note.pitch).collect();
    assert_eq!(heard, [63, 70, 63], "the rests are those of this pass, the last beat is that of the pass before");
    assert_eq!(filled(&host), [(2, 4), (6, 4), (10, 4)]);
    assert_ne!(fills(&host)[1].2, fills(&host)[2].2);
}

#[test]
fn another_fills_the_next_pass_in_another_way() {
    let mut host = host(500, 3, 1);
    let player = tune((0..20).filter(|bar| bar % 4 != 2));
    host.play_to(10 * BAR + 20, &player);
    host.press("another");
    host.play_to(20 * BAR, &player);
    let keys: Vec<_> = fills(&host);
    assert_eq!(keys.iter().map(|(bar, count, _)| (*bar, *count)).collect::<Vec<_>>(), [(2, 4), (6, 4), (10, 4), (14, 4), (18, 4)]);
    assert_eq!(keys[1].2, keys[2].2, "the fill that plays goes on: {keys:?}");
    assert!(keys[3].2 != keys[2].2 && keys[4].2 == keys[3].2, "{keys:?}");
    // Pressed before its bars, it changes the fill that is about to play.
    host.play_to(21 * BAR + 40, &tune([20, 21]));
    host.press("another");
    host.play_to(24 * BAR, &[]);
    assert_ne!(fills(&host)[5].2, keys[4].2);
    assert_eq!(host.count(Count::Late), 0);
}

/// Three passes with a range at the loop's start, a mode switch and another range: what sounds, and the prompts.
fn perform(frames: u32) -> (Notes, Vec<Prompt>) {
    let mut host = host(frames, 1, 2);
    let player = tune((0..20).filter(|bar| ![0, 1].contains(&(bar % 4))));
    host.play_to(8 * BAR, &player);
    host.play_to(10 * BAR + 50, &player);
    mark(&host, 2, 1);
    host.play_to(14 * BAR, &player);
    set(&host.params, "mode", 0.0);
    host.play_to(15 * BAR, &player);
    set(&host.params, "mode", 1.0);
    host.play_to(18 * BAR + 6, &player);
    assert_eq!(host.count(Count::Late), 0);
    (host.sounded(), host.script.prompts())
}

#[test]
fn fills_do_not_depend_on_the_block_length() {
    let whole = perform(64);
    assert!(whole.0.iter().filter(|(_, pitch, _)| *pitch < 60).count() >= 24);
    for frames in [16, 480, 2048] {
        assert_eq!(perform(frames), whole, "in blocks of {frames}");
    }
}

#[test]
fn marked_bars_at_the_start_of_a_loop_begin_with_their_first_note() {
    let mut host = host(500, 1, 2);
    host.play_to(13 * BAR + 10, &tune((0..13).filter(|bar| ![0, 1].contains(&(bar % 4)))));
    assert_eq!(filled(&host), [(4, 4), (5, 4), (8, 4), (9, 4), (12, 4)], "in the first pass there is nothing to go on from");
}

#[test]
fn marked_bars_beyond_the_loop_are_not_filled_and_it_is_said() {
    let mut host = host(500, 4, 3);
    host.play_to(9 * BAR, &tune((0..9).filter(|bar| bar % 4 != 3)));
    assert_eq!(filled(&host), [(3, 4), (7, 4)], "up to the loop's end");
    mark(&host, 5, 2);
    host.play_to(17 * BAR, &tune(9..17));
    assert_eq!(filled(&host).len(), 2);
    assert_eq!(host.status().remark.as_deref(), Some("Bars 5 to 6 of Infill are outside the loop"));
    // The whole loop is marked: there is nothing around it.
    mark(&host, 1, 8);
    host.play_to(26 * BAR, &tune(17..26));
    assert_eq!(host.count(Count::Late), 0);
}

#[test]
fn players_notes_in_marked_bars_keep_their_keys_and_are_given() {
    let mut host = host(500, 3, 1);
    let mut player = tune((0..12).filter(|bar| bar % 4 != 2));
    player.extend([2, 6, 10].into_iter().flat_map(|bar| stroke(bar * BAR, 40, 70)));
    host.play_to(12 * BAR, &player);
    assert_eq!(filled(&host), [(2, 4), (6, 4), (10, 4)]);
    assert_eq!(host.sounded().iter().filter(|(_, pitch, length)| (*pitch, *length) == (70, 40)).count(), 3);
    let given: Vec<Vec<u8>> = leading(&host).iter().map(|prompt| prompt.gap[0].given.iter().map(|note| note.pitch).collect()).collect();
    assert_eq!(given, [[70]]);
}

#[test]
fn locate_and_stop_end_the_fill_and_what_was_heard_stays() {
    let mut host = host(500, 3, 1);
    host.cycle = None;
    host.play_to(4 * BAR, &tune([0, 1, 3]));
    host.locate(BAR);
    host.play_to(5 * BAR + 50, &tune([4]));
    assert_eq!(leading(&host).len(), 1);
    // Away in the middle of the fill, and back to the bar before it.
    host.locate(BAR);
    host.play_to(6 * BAR + 50, &[]);
    assert_eq!(filled(&host), [(2, 4), (5, 2)]);
    host.playing = false;
    host.play_to(7 * BAR, &[]);
    assert_eq!(filled(&host), [(2, 4), (5, 2)]);
    host.playing = true;
    host.locate(BAR);
    host.play_to(9 * BAR + 2, &[]);
    assert_eq!(filled(&host), [(2, 4), (5, 2), (8, 4)]);
    assert_eq!(host.count(Count::Late), 0);
}

#[test]
fn late_fill_leaves_the_one_of_the_bar_line_before() {
    let mut host = host(500, 3, 1);
    let usual = tune((0..24).filter(|bar| bar % 4 != 2));
    host.play_to(9 * BAR + 2, &usual);
    // The bar before differs, and one beat is not enough for another fill.
    host.script.cost(30);
    let other: Vec<_> = stroke(9 * BAR + BEAT, 18, 75).into_iter().chain(tune([11])).collect();
    host.play_to(11 * BAR + 10, &other);
    assert_eq!(filled(&host), [(2, 4), (6, 4), (10, 4)]);
    assert_eq!(fills(&host)[1].2, fills(&host)[2].2, "the older one stands");
    assert_eq!(host.count(Count::Late), 0);
}

#[test]
fn marked_bars_of_another_metre_are_whole_bars_of_it() {
    let mut host = host(500, 2, 1);
    (host.metre, host.cycle) = (Metre::new(3, 4), Some((0, 288)));
    let player: Vec<_> = (0..12).filter(|bar| bar % 4 != 1).flat_map(|bar| stroke(72 * bar, 18, 62)).collect();
    host.play_to(12 * 72, &player);
    let onsets: Vec<_> = host.planned().into_iter().map(|(onset, ..)| onset).collect();
    assert_eq!(onsets, [78, 102, 126, 366, 390, 414, 654, 678, 702]);
}

#[test]
fn mode_that_was_played_in_before_has_heard_the_song() {
    let mut host = host(500, 3, 1);
    set(&host.params, "mode", 0.0);
    host.play_to(4 * BAR + 10, &tune([0, 1, 3, 4]));
    set(&host.params, "mode", 1.0);
    host.play_to(8 * BAR, &tune([4, 5, 7]));
    assert_eq!((filled(&host), leading(&host).len()), (vec![(6, 4)], 1));
    assert!(host.script.prompts().len() > 1);
    // Another mode silences it within the fill.
    host.play_to(10 * BAR + 50, &tune([8, 9]));
    set(&host.params, "mode", 0.0);
    host.play_to(12 * BAR, &[]);
    assert_eq!(filled(&host), [(6, 4), (10, 2)]);
}

#[test]
fn bypass_does_not_count_as_silence_of_the_song() {
    let mut host = host(500, 3, 1);
    host.play_to(7 * BAR, &tune([0, 1, 3, 4, 5]));
    set(&host.params, "bypass", 1.0);
    host.play_to(12 * BAR, &tune(7..12));
    set(&host.params, "bypass", 0.0);
    let before = host.script.prompts().len();
    host.play_to(14 * BAR + 54, &tune([12, 13]));
    assert_eq!(filled(&host).last(), Some(&(14, 2)));
    let notes = |prompt: &Prompt| prompt.far_side.iter().map(|bar| bar.bar.notes.len()).collect::<Vec<_>>();
    assert!(host.script.prompts().split_off(before).iter().all(|prompt| notes(prompt) == [4, 4, 4]));
}

#[test]
fn host_without_a_transport_is_told_that_infill_needs_one() {
    let mut host = host(500, 1, 4);
    (host.playing, host.cycle) = (false, None);
    host.play_to(4 * BAR, &tune(0..4));
    assert_eq!(filled(&host), []);
    assert_eq!(host.status().remark.as_deref(), Some("Infill needs your host's transport: without it the song has no bars"));
}

#[test]
fn clip_that_is_handed_over_counts_as_heard() {
    let mut host = host(500, 3, 1);
    host.cycle = None;
    let note = |bar: i64| Note { onset: Tick(bar * BAR), offset: 0, duration: Tick(40), pitch: 50, velocity: 80, role: Role::Keys };
    let notes = [0, 1, 3, 4].map(note).to_vec();
    let clip = Clip {
        parts: vec![Part { notes, ..Part::default() }],
        metres: MetreMap::new([(Tick::ZERO, Metre::COMMON)]),
        end: Tick(5 * BAR),
        ..Clip::default()
    };
    host.commands.send_song(clip, SongPosition(0));
    host.commands.send(Command::Keep);
    host.play_to(4 * BAR, &[]);
    assert_eq!(filled(&host), [(2, 4)]);
    let prompt = leading(&host).pop().unwrap();
    assert_eq!((prompt.context.len(), prompt.far_side.len()), (2, 2));
}

#[test]
fn locks_of_a_fill_are_kept_by_the_one_that_another_puts_in_its_place() {
    let player = tune((0..12).filter(|bar| bar % 4 != 2));
    let shown = |host: &ScriptedHost| host.shown().plan.as_ref().unwrap().plan.clone();
    let mut host = host(500, 3, 1);
    host.play_to(5 * BAR + 20, &player);
    let before = shown(&host);
    let locked = before.notes()[2];
    host.commands.send(Command::Lock(LockTarget::of(&locked)));
    host.play_to(5 * BAR + 30, &player);
    host.press("another");
    host.play_to(6 * BAR + 2, &player);
    let after = shown(&host);
    assert!(after.id() != before.id() && after.notes().len() == 4, "{after:?}");
    let is_kept = |note: &&Note| before.notes().contains(note);
    assert_eq!(after.notes().iter().filter(is_kept).collect::<Vec<_>>(), [&locked]);
    // In the next pass the locked pitches are those of the fill that played.
    set(&host.params, "lock_pitches", 1.0);
    host.play_to(9 * BAR + 20, &player);
    host.press("another");
    host.play_to(10 * BAR + 2, &player);
    let next = shown(&host);
    let pitches = |plan: &Plan| plan.notes().iter().map(|note| note.pitch).collect::<Vec<_>>();
    assert!(next.brief.seed != after.brief.seed && next.brief.start == Tick(10 * BAR));
    assert_eq!(pitches(&next), pitches(&after));
    assert_eq!(host.count(Count::Late), 0);
}

#[test]
fn fill_is_shown_ahead_and_written_into_the_history_when_it_sounds() {
    let mut host = host(500, 3, 1);
    let player = tune((0..8).filter(|bar| bar % 4 != 2));
    host.play_to(5 * BAR + 40, &player);
    let shown = host.shown();
    let plan = shown.plan.as_ref().unwrap();
    assert_eq!((plan.plan.brief.start, plan.plan.notes().len(), plan.playing), (Tick(6 * BAR), 4, false));
    let entries = host.params.state.history().entries().len();
    host.play_to(6 * BAR + 40, &player);
    assert!(host.shown().plan.as_ref().unwrap().playing);
    assert_eq!(host.params.state.history().entries().len(), entries + 1);
}
