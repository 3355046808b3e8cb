//! What the editor shows in screenshots: a piece, of which what lies before a bar was played and what follows is the plan; or a machine without the engine.

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
    let planned = notes.into_iter().filter(|note| note.onset >= start).collect();
    let brief = Brief {
        plan: PlanId(1),
        made_at: here.start,
        start,
        end,
        seed: 1,
        controls: Controls::default(),
        context: Fingerprint::of(&played),
    };
    let mut plan = Plan::new(brief);
    plan.append(&Passage { plan: PlanId(1), from: start, until: end, notes: planned });
    let tempo = piece.tempos.at(playhead);
    let mut history = History::default();
    for seed in 2..=4 {
        let place = Place { bar: i64::from(bar) + 1, line: here.start, metres: piece.metres.slice_from(here.start), tempo };
        let mut other = plan.clone();
        other.brief.seed = seed;
        history.push(other, place, Reason::Rerolled);
    }
    let variations =
        ShownVariations { plans: [None, Some(without(&plan, 3)), Some(without(&plan, 5)), None], ..ShownVariations::default() };
    let snapshot = Snapshot {
        status: Status {
            engine: Component::Ready("ONNX Runtime 1.31.1".into()),
            model: Component::Ready("antiphon".into()),
            plans: PlanStats { on_time: 412, ..PlanStats::default() },
            remark: None,
            band: None,
        },
        bars: piece.metres.bars(piece.end).map(|bar| ShownBar { bar, number: i64::from(bar.index) + 1 }).collect(),
        harmony: harmony(piece, bar),
        played,
        variations,
        memory: ShownMemory { bars: 24, ..ShownMemory::default() },
        ..Snapshot::default()
    };
    let snapshot = snapshot.with_plan(ShownPlan { plan, commit, playing: false });
    let now = Now { playhead: MusicalTime::from(playhead), tempo: tempo.bpm(), motion: Motion::Host };
    PlainModel { now, values, history: Arc::new(history), ..PlainModel::new(snapshot) }
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

/// Key and chords of the bars before this one.
fn harmony(piece: &Clip, bar: u32) -> Vec<BarHarmony> {
    let notes = piece.notes();
    let finished = piece.metres.bars(piece.metres.bar(bar).start);
    finished.map(|bar| BarHarmony::measure(&bar, &notes, &PitchProfile::new(notes.iter().filter(|note| note.onset < bar.end())))).collect()
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
