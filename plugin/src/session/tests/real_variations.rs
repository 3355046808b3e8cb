//! Variations and locks with the real engine.

use std::thread;
use std::time::Duration;

use antiphon_engine::music::Note;
use antiphon_engine::plan::{Plan, Variation};
use antiphon_engine::session::{Command, LockTarget};

use super::real::{EngineHost, Waits, tune};
use super::{SAMPLES_PER_TICK, set};

const BAR: u32 = 96 * SAMPLES_PER_TICK;
/// Two bars of the player, a rest, and a quarter of a beat.
const RESTED: u32 = 3 * BAR + 6 * SAMPLES_PER_TICK;

/// A host whose player has rested for a bar.
fn rested(frames: u32) -> EngineHost {
    let mut host = EngineHost::new(frames, Waits::ForRealTime);
    let tune = tune();
    while host.played < RESTED {
        host.block(true, &tune);
    }
    host
}

/// Waits for the four variations of the plan that is shown.
fn four(host: &EngineHost) -> [Plan; 4] {
    loop {
        let plans = host.snapshot.latest().variations.plans.clone();
        if let [Some(a), Some(b), Some(c), Some(d)] = plans {
            return [a, b, c, d];
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Gives a command and lets its plan be shown.
fn command(host: &mut EngineHost, command: Command) -> Plan {
    host.commands.send(command);
    // A block lets the session run; the command is executed before it is idle again.
    loop {
        let shown = host.snapshot.latest();
        let is_done = match command {
            Command::Variation(variation) => shown.variations.shown == variation && shown.variations.awaited.is_none(),
            Command::Lock(_) => !shown.locks.is_empty(),
            _ => true,
        };
        if is_done {
            return shown.plan.as_ref().expect("a plan").plan.clone();
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn struck(notes: &[Note]) -> Vec<(i64, u8)> {
    notes.iter().map(|note| (note.onset.0, note.pitch)).collect()
}

#[test]
fn four_variations_differ_and_do_not_depend_on_the_block_length() {
    let plans = four(&rested(64));
    for (index, plan) in plans.iter().enumerate() {
        assert!(plan.notes().len() >= 8, "{:?}", plan.notes());
        assert!(plans[..index].iter().all(|other| struck(other.notes()) != struck(plan.notes())), "number {index}");
    }
    for frames in [480, 1537] {
        assert_eq!(four(&rested(frames)), plans, "blocks of {frames}");
    }
    // One that is chosen before it is ready is the same.
    assert_eq!(command(&mut rested(480), Command::Variation(Variation::D)), plans[3]);
}

#[test]
fn locked_note_is_in_all_variations_and_the_notes_beside_it_differ() {
    let mut host = rested(480);
    let shown = four(&host)[0].clone();
    let locked = shown.notes()[shown.notes().len() / 2];
    command(&mut host, Command::Lock(LockTarget::of(&locked)));
    let plans = four(&host);
    for (index, plan) in plans.iter().enumerate() {
        assert!(plan.notes().contains(&locked), "{locked:?} is not in {:?}", plan.notes());
        assert!(plans[..index].iter().all(|other| struck(other.notes()) != struck(plan.notes())));
    }
}

#[test]
fn locked_rhythm_keeps_onsets_and_durations_and_locked_pitches_their_order() {
    for lock in ["lock_rhythm", "lock_pitches"] {
        let mut host = rested(480);
        set(&host.params, lock, 1.0);
        // The lock takes hold at a planning tick; the plan is kept or made again with the rhythm or pitches of the one before.
        while host.played < RESTED + 48 * SAMPLES_PER_TICK {
            host.block(true, &[]);
        }
        let [a, others @ ..] = four(&host);
        let rhythm = |notes: &[Note]| notes.iter().map(|note| (note.onset, note.role, note.duration)).collect::<Vec<_>>();
        let pitches = |notes: &[Note]| notes.iter().map(|note| note.pitch).collect::<Vec<_>>();
        assert!(a.notes().len() >= 8);
        for other in others {
            // The plan that is shown may have been extended since.
            let (a, other) = (a.between(other.brief.start, other.brief.end), other.notes());
            let kept = (rhythm(other) == rhythm(a), pitches(other) == pitches(a));
            assert_eq!(kept, (lock == "lock_rhythm", lock == "lock_pitches"), "{lock}");
        }
    }
}
