use crate::plan::{Controls, Fingerprint, PlanId, PlanningTick, SongBar, SongPosition};

use super::*;
use crate::music::Metre;

fn clock() -> MusicalClock {
    MusicalClock::new(SongPosition(0), SongBar { start: SongPosition(0), metre: Metre::COMMON })
}

fn note(onset: i64, duration: Tick) -> Note {
    Note { onset: Tick(onset), offset: 0, duration, pitch: 60, velocity: 80, role: Role::Keys }
}

/// Index and number of notes of each bar.
fn shapes(bars: &[Arc<PromptBar>]) -> Vec<(u32, usize)> {
    bars.iter().map(|bar| (bar.bar.index, bar.bar.notes.len())).collect()
}

#[test]
fn context_update_without_changes_returns_nothing() {
    let (mut clock, mut context) = (clock(), Context::default());
    clock.advance(Tick(200));
    let mut notes = vec![note(100, Tick(24))];
    assert_eq!(shapes(&context.update(&clock, &notes, 120.0).unwrap()), [(0, 1)]);
    assert!(context.update(&clock, &notes, 120.0).is_none());
    // A note that is still held gets its length two bars later.
    notes.push(note(200, Tick::MAX));
    clock.advance(Tick(100));
    let held = context.update(&clock, &notes, 120.0).unwrap();
    assert_eq!(shapes(&held), [(0, 1), (1, 1)]);
    notes[1].duration = Tick(150);
    clock.advance(Tick(100));
    let ended = context.update(&clock, &notes, 120.0).unwrap();
    assert_eq!(shapes(&ended), [(0, 1), (1, 1), (2, 0)]);
    assert!(Arc::ptr_eq(&held[0], &ended[0]) && held[1].bar.notes != ended[1].bar.notes);
    assert_eq!(held[1].bar.fields, ended[1].bar.fields, "conditioning is fixed when the bar ends");
    assert_eq!(context.start(), Some(Tick(96)));
    context.send_again();
    assert_eq!(context.update(&clock, &notes, 120.0).map(|bars| bars.len()), Some(3));
}

#[test]
fn closed_bar_is_encoded_once_however_many_beats_are_planned() {
    let (mut clock, mut context) = (clock(), Context::default());
    // The second bar is encoded twice: its last note is held over the bar line, and has a length only in the third.
    let notes: Vec<_> = (0..32).map(|beat| note(beat * 24, if beat == 7 { Tick(40) } else { Tick(20) })).collect();
    let mut encoded: Vec<Arc<PromptBar>> = Vec::new();
    for beat in 1..=32 {
        clock.advance(Tick(24));
        let now = clock.now();
        let held = |note: &Note| Note { duration: if note.end() > now { Tick::MAX } else { note.duration }, ..*note };
        let played: Vec<_> = notes.iter().filter(|note| note.onset < now).map(held).collect();
        context.update(&clock, &played, 120.0);
        // Every encoding is a bar of its own, which this list keeps from being taken for another.
        for rows in context.sent() {
            if !encoded.iter().any(|known| Arc::ptr_eq(known, &rows)) {
                encoded.push(rows);
            }
        }
        let closed = usize::try_from(beat / 4).unwrap();
        let again = usize::from(now >= Tick(7 * 24 + 40));
        assert_eq!(encoded.len(), closed + again, "after beat {beat}");
    }
    // Bars encoded one by one equal the whole encoded at once.
    let bars: Vec<Bar> = clock.bars().filter(|bar| bar.end() <= clock.now()).collect();
    let whole = codec::encode(&notes, &bars, None).bars;
    let rows = context.sent();
    assert!(whole.len() == rows.len() && whole.iter().zip(&rows).all(|(whole, bar)| whole.notes == bar.bar.notes));
}

/// A bar of plan 1 as a worker delivers it, of density 5.
fn generated(line: i64, notes: &[Note]) -> GeneratedBar {
    let bar = Bar { index: 0, start: Tick(line), length: Tick(96), metre: Metre::COMMON };
    let rows = codec::encode(notes, &[bar], None).bars.remove(0);
    let rows = BarRows { index: 7, fields: BarFields { density: 5, ..BarFields::default() }, ..rows };
    let passage = Passage { plan: PlanId(1), from: Tick(line), until: Tick(line + 96), notes: notes.to_vec() };
    GeneratedBar { passage, line: Tick(line), rows: Arc::new(rows.into()) }
}

#[test]
fn bar_that_came_as_planned_is_sent_once_though_a_note_rings_over_its_end() {
    for (length, times) in [(40, 1), (30, 2)] {
        let (mut clock, mut context) = (clock(), Context::default());
        let planned = [note(4, Tick(20)), note(80, Tick(40))];
        context.deliver(generated(0, &planned));
        clock.advance(Tick(96));
        let held = context.update(&clock, &[planned[0], note(80, Tick::MAX)], 120.0).unwrap();
        assert_eq!((held[0].bar.index, held[0].bar.fields.density), (0, 5), "the conditioning of the plan, at its place in the context");
        assert_eq!(held[0].bar.notes[1].note(Tick(0)).duration, Tick(40), "the length of the plan");
        assert_eq!(context.counts(), PageStats { finished: 1, as_planned: 1, ..PageStats::default() });
        clock.advance(Tick(36));
        let ended = context.update(&clock, &[planned[0], note(80, Tick(length))], 120.0);
        assert_eq!(ended.is_some(), times == 2, "a note of {length} ticks");
        assert_eq!(context.counts().as_planned, 2 - times);
        if let Some(ended) = ended {
            assert_eq!(ended[0].bar.notes[1].note(Tick(0)).duration, Tick(length));
            assert_ne!(ended[0].bar.fields.density, 5, "measured, as any bar of the player");
        }
    }
}

#[test]
fn workers_that_were_replaced_get_bars_as_measured() {
    let (mut clock, mut context) = (clock(), Context::default());
    let planned = [note(4, Tick(20))];
    context.deliver(generated(0, &planned));
    clock.advance(Tick(96));
    assert_eq!(context.update(&clock, &planned, 120.0).unwrap()[0].bar.fields.density, 5);
    context.send_measured();
    assert_ne!(context.update(&clock, &planned, 120.0).unwrap()[0].bar.fields.density, 5);
}

#[test]
fn bars_that_are_shown_are_requested_as_they_were_generated() {
    let (mut clock, mut context) = (clock(), Context::default());
    // The last note rings over the bar line at which the request begins.
    let (first, second) = ([note(100, Tick(20)), note(180, Tick(40))], [note(192, Tick(20))]);
    let played = note(0, Tick(20));
    clock.advance(Tick(96));
    context.update(&clock, &[played], 120.0);
    let mut timeline = Timeline::new(Tick(96), 0);
    let controls = Controls::default();
    let tick = |horizon| PlanningTick {
        now: Tick(96),
        next: Tick(96),
        horizon: Tick(horizon),
        played: &[],
        context: Fingerprint::SILENCE,
        controls: &controls,
    };
    let requests = timeline.request_at(tick(288));
    for bar in [generated(96, &first), generated(192, &second)] {
        timeline.offer(&bar.passage);
        context.deliver(bar);
    }
    timeline.advance_to(Tick(96));
    let Request::Replan(brief) = requests[0].clone() else { panic!("{requests:?}") };
    let brief = Brief { start: Tick(192), ..brief };
    let music = MusicControls::default();
    let plan_settings = PlanSettings {
        roles: RoleSet::NONE.with(Role::Keys),
        beside: None,
        music: &music,
        tempo: 120.0,
        rejected: &[],
        silent_from: Tick::MAX,
        expected: Expected::Shown,
    };
    let assignments = context.assignments(&[Request::Extend(brief)], &timeline, &clock, &[played], &plan_settings);
    let prompt = &assignments[0].prompt;
    assert_eq!(prompt.gap[0].bar, BarRows { index: 1, ..generated(96, &first).rows.bar.clone() });
    assert_eq!((prompt.conditioning[0].density, prompt.gap[1].bar.notes.len()), (5, 0), "the second is generated");
    assert_eq!(prompt.gap[1].bar.index, 2);
}

#[test]
fn phase_of_bars_is_unchanged_when_old_bars_are_dropped() {
    let (mut clock, mut context) = (clock(), Context::default());
    let notes: Vec<_> = (0..200).map(|bar| note(bar * 96, Tick(24))).collect();
    for bar in 1..200i64 {
        clock.advance(Tick(96));
        let from = context.start().unwrap_or(Tick::ZERO);
        let played: Vec<_> = notes.iter().filter(|note| from <= note.onset && note.onset < clock.now()).copied().collect();
        let news = context.update(&clock, &played, 120.0).unwrap();
        assert_eq!(news.last().map(|row| i64::from(row.bar.index)), Some(bar - 1));
    }
    assert!(context.bars.len() <= BARS && codec::phase(context.base) == 0 && context.base > 0);
}

#[test]
fn long_pause_counts_as_four_bars_and_the_recent_bars_are_those_before_it() {
    let (mut clock, mut context) = (clock(), Context::default());
    let mut notes: Vec<_> = (0..2).map(|bar| note(bar * 96 + 10, Tick(24))).collect();
    clock.advance(Tick(40 * 96));
    assert_eq!(context.update(&clock, &notes, 120.0).unwrap().len(), 2 + PAUSE_BARS);
    clock.advance(Tick(200 * 96));
    assert!(context.update(&clock, &notes, 120.0).is_none());
    assert_eq!(context.start(), Some(Tick::ZERO), "the context keeps the bars before the pause");
    let constraints = context.constraints(&notes, RoleSet::NONE.with(Role::Keys));
    assert_eq!(constraints.registers[usize::from(Role::Keys.class())].low, 55, "a fourth below the only key that was played");
    // The player goes on in bar 240: it follows the pause.
    notes.push(note(240 * 96 + 5, Tick(24)));
    clock.advance(Tick(96));
    let news = context.update(&clock, &notes, 120.0).unwrap();
    assert_eq!(shapes(&news).last(), Some(&(6, 1)));
    assert_eq!(context.bars.last().map(|bar| bar.line), Some(Tick(240 * 96)));
}

#[test]
fn new_plan_may_rest_only_after_its_first_whole_bar() {
    let (clock, mut context) = (clock(), Context::default());
    let brief = |start: i64| Brief {
        plan: PlanId(1),
        made_at: Tick::ZERO,
        start: Tick(start),
        end: Tick(288),
        seed: 0,
        controls: Controls::default(),
        context: Fingerprint::SILENCE,
    };
    let music = MusicControls::default();
    let plan_settings = PlanSettings {
        roles: RoleSet::NONE.with(Role::Keys),
        beside: None,
        music: &music,
        tempo: 120.0,
        rejected: &[],
        silent_from: Tick::MAX,
        expected: Expected::Shown,
    };
    let timeline = Timeline::new(Tick::ZERO, 0);
    let mut rests_from = |request: Request| {
        let assignments = context.assignments(&[request], &timeline, &clock, &[note(0, Tick(4))], &plan_settings);
        assignments[0].prompt.constraints.rests_from
    };
    assert_eq!(rests_from(Request::Replan(brief(24))), Tick(97));
    assert_eq!(rests_from(Request::Replan(brief(96))), Tick(97));
    assert_eq!(rests_from(Request::Extend(brief(96))), Tick(i64::MIN));
}

#[test]
fn new_roles_beside_a_player_fit_the_players_notes_whatever_they_have_played() {
    let context = Context::default();
    let player: Vec<Note> = (0..40).map(|beat| note(beat * 24, Tick(20))).collect();
    // A bass that played high and twice as often.
    let bass = (0..80).map(|quaver| Note { pitch: 90, role: Role::Bass, ..note(quaver * 12, Tick(6)) });
    let mut played: Vec<Note> = player.iter().copied().chain(bass).collect();
    played.sort_by_key(Note::order);
    let roles: RoleSet = [Role::Bass, Role::Pad, Role::Keys].into_iter().collect();
    let own = OwnRoles::new([Role::Bass, Role::Pad]).unwrap();
    let constraints = |player: &[Note], now| {
        context.constraints_beside(Beside { own, others: player, follows: Follows::Others, key: None }, &played, roles, Tick(now))
    };
    let steady = constraints(&player, 960);
    let of = |role: Role| (steady.chords[usize::from(role.class())], steady.registers[usize::from(role.class())].high);
    assert_eq!((of(Role::Bass), of(Role::Pad).0), ((1, 55), 4));
    assert_eq!(of(Role::Keys), (1, 65), "a role of the player keeps to what it played: a fourth above its only key");
    assert!(steady.lowest.contains(Role::Bass));
    let limit = |constraints: &Constraints| constraints.density_limit.map(|limit| limit.notes);
    // The own roles here are bass and keys: four and eight notes in a whole note.
    assert_eq!(limit(&steady), Some(12));
    let filling: Vec<Note> =
        player.iter().copied().filter(|note| note.onset.0 < 912).chain((152..160).map(|place| note(place * 6, Tick(3)))).collect();
    assert_eq!(limit(&constraints(&filling, 960)), Some(3), "four times as many notes leave a quarter");
}
