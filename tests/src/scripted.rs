//! What the editor shows in screenshots: a piece, of which what lies before a bar was played and what follows is the plan; or a machine without the engine.

use std::ops::Range;
use std::sync::Arc;

use antiphon_engine::music::analysis::{BarHarmony, PitchProfile};
use antiphon_engine::music::{Clip, Note, Role, Tick};
use antiphon_engine::plan::{Brief, Controls, Fingerprint, History, Passage, Place, Plan, PlanId, PlanStats, Reason};
use antiphon_engine::session::{Component, ShownBar, ShownMemory, ShownPlan, ShownVariations, Snapshot, Status};
use antiphon_plugin::clock::{Motion, MusicalTime};
use antiphon_plugin::editor::Now;
use antiphon_plugin::editor::plain_model::PlainModel;
use antiphon_plugin::params::AntiphonParams;

/// The piece with the playhead in a bar, counted from 0; what follows is the plan.
#[must_use]
pub fn piece_at(piece: &Clip, bar: u32) -> PlainModel {
    let values = AntiphonParams::new(true).controls();
    let here = piece.metres.bar(bar);
    let beat = Tick::quarters(4).0 / i64::from(here.metre.denominator());
    // The plan was adopted at the second beat; the one in progress will be at the third.
    let (start, commit) = (here.start + Tick(beat), here.start + Tick(beat * 2));
    let playhead = start + Tick(beat / 3);
    // The horizon counts from the next bar line.
    let end = piece.metres.bar(bar + 1 + u32::from(values.plan.horizon_bars)).start;
    let notes = piece.notes();
    let mut played: Vec<Note> = notes.iter().copied().filter(|note| note.onset <= playhead).collect();
    for note in played.iter_mut().filter(|note| note.end() > playhead) {
        note.duration = Tick::MAX;
    }
    let plan = phrase(piece, start..end, Tick::ZERO, 1);
    let tempo = piece.tempos.at(playhead);
    let mut history = History::default();
    // Keys and lead of the first bars are Antiphon's; the others are as they were suggested.
    let (suggested, place) = suggestion(piece, 0, 2);
    let answer = only(&phrase(piece, place.line..suggested.brief.end, Tick::ZERO, 2), |role| matches!(role, Role::Keys | Role::Lead));
    let by_antiphon: Vec<Note> = played.iter().filter(|note| answer.notes().contains(note)).copied().collect();
    history.push(answer, Place { played_from: Some(place.line), ..place }, Reason::Played);
    for (seed, first, reason) in [(3, 2, Reason::Rerolled), (4, 5, Reason::PhraseEnd)] {
        let (plan, place) = suggestion(piece, first, seed);
        history.push(plan, place, reason);
    }
    let variations = ShownVariations { plans: others(piece, start..end), ..ShownVariations::default() };
    let snapshot = Snapshot {
        status: Status {
            engine: Component::Ready("ONNX Runtime 1.31.1".into()),
            model: Component::Ready("antiphon".into()),
            plans: PlanStats { on_time: 412, ..PlanStats::default() },
            remark: None,
            band: None,
        },
        bars: piece.metres.bars(piece.end).map(|bar| ShownBar { bar, number: i64::from(bar.index) + 1 }).collect(),
        harmony: harmony(piece, bar, &played),
        played,
        by_antiphon,
        joins_at: Some(commit + Tick(beat)),
        variations,
        memory: ShownMemory { bars: 24, ..ShownMemory::default() },
        ..Snapshot::default()
    };
    let snapshot = snapshot.with_plan(ShownPlan { plan, commit, playing: false, sounds_from: start });
    let now = Now { playhead: MusicalTime::from(playhead), tempo: tempo.bpm(), motion: Motion::Host };
    PlainModel { now, values, history: Arc::new(history), ..PlainModel::new(snapshot) }
}

/// Music of the piece as a plan of this time: what lies in it, or so much before it.
#[must_use]
pub fn phrase(piece: &Clip, time: Range<Tick>, before: Tick, seed: u64) -> Plan {
    let moved = |note: Note| Note { onset: note.onset + before, ..note };
    let notes: Vec<Note> = piece.notes().into_iter().map(moved).filter(|note| time.contains(&note.onset)).collect();
    let context = Fingerprint::of(&notes[..notes.len().min(1)]);
    let brief =
        Brief { plan: PlanId(seed), made_at: time.start, start: time.start, end: time.end, seed, controls: Controls::default(), context };
    let mut plan = Plan::new(brief);
    plan.append(&Passage { plan: PlanId(seed), from: time.start, until: time.end, notes });
    plan
}

/// The variations that a plan of this time has beside A: music from elsewhere in the piece. D is not there.
#[must_use]
pub fn others(piece: &Clip, time: Range<Tick>) -> [Option<Plan>; 4] {
    let bars = |count: u32| piece.metres.bar(count).start;
    [None, Some(without(&phrase(piece, time.clone(), bars(4), 11), 5)), Some(without(&phrase(piece, time, bars(6), 12), 7)), None]
}

/// A suggestion of four bars from a bar of the piece on, counted from 0.
#[must_use]
pub fn suggestion(piece: &Clip, first: u32, seed: u64) -> (Plan, Place) {
    let [line, end] = [first, first + 4].map(|bar| piece.metres.bar(bar).start);
    let plan = without(&phrase(piece, line..end, Tick::ZERO, seed), 4);
    let place =
        Place { bar: i64::from(first) + 1, line, metres: piece.metres.slice_from(line), tempo: piece.tempos.at(line), played_from: None };
    (plan, place)
}

/// A plan without every n-th note.
fn without(plan: &Plan, every: usize) -> Plan {
    filtered(plan, |place, _| place % every != 0)
}

/// The plan with the notes of some roles alone.
#[must_use]
pub fn only(plan: &Plan, is_kept: impl Fn(Role) -> bool) -> Plan {
    filtered(plan, |_, note| is_kept(note.role))
}

/// The part of a plan between two ticks.
#[must_use]
pub fn between(plan: &Plan, from: Tick, until: Tick) -> Plan {
    let inside = plan.notes().iter().filter(|note| (from..until).contains(&note.onset)).copied().collect();
    let mut other = Plan::new(Brief { start: from.max(plan.brief.start), end: until, ..plan.brief.clone() });
    other.append(&Passage { plan: plan.id(), from: other.brief.start, until, notes: inside });
    other
}

/// A plan with the notes, counted from 0, that are kept.
fn filtered(plan: &Plan, is_kept: impl Fn(usize, &Note) -> bool) -> Plan {
    let notes = plan.notes().iter().enumerate().filter(|(place, note)| is_kept(*place, note)).map(|(_, note)| *note).collect();
    let mut other = Plan::new(plan.brief.clone());
    other.append(&Passage { plan: plan.id(), from: plan.brief.start, until: plan.brief.end, notes });
    other
}

/// Key and chords that the notes have in the bars before this one.
#[must_use]
pub fn harmony(piece: &Clip, bar: u32, notes: &[Note]) -> Vec<BarHarmony> {
    let finished = piece.metres.bars(piece.metres.bar(bar).start);
    finished.map(|bar| BarHarmony::measure(&bar, notes, &PitchProfile::new(notes.iter().filter(|note| note.onset < bar.end())))).collect()
}

/// A plug-in just added to a track, on a machine without the engine.
#[must_use]
pub fn without_engine() -> PlainModel {
    let engine = Component::Missing {
        what: "ONNX Runtime was not found; put the library of onnxruntime 1.31.1 into one of these folders, or name it with ANTIPHON_ONNXRUNTIME".into(),
        looked_in: vec!["/usr/lib/vst3/Antiphon.vst3/Contents/Resources".into(), "/usr/lib/clap/Antiphon".into()],
    };
    let status = Status { engine, model: Component::Ready("antiphon".into()), ..Status::default() };
    PlainModel::new(Snapshot { status, ..Snapshot::default() })
}
