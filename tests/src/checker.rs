//! What must hold in every block, whatever the history.

use std::collections::BTreeSet;

use crate::{Message, Timed};

/// Sustain pedal.
const PEDAL: u8 = 64;
/// Reset All Controllers.
const RESET_CONTROLLERS: u8 = 121;

/// MIDI channel and key.
type Key = (u8, u8);

/// A block as the host knows it.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// Length in samples.
    pub frames: u32,
    /// Messages of the player.
    pub messages: &'a [Timed],
    /// Whether Thru is on.
    pub thru: bool,
    /// Whether it is bypassed.
    pub bypass: bool,
    /// Whether the host's transport rolls.
    pub playing: bool,
    /// Whether Play was pressed since the last block, or earlier and the session has not run since.
    pub play_pressed: bool,
    /// Whether a change since the last block ends the plan: of mode or bypass, a state, a reset.
    pub ends_plan: bool,
}

/// Origin of a message that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The player's, passed on.
    Passed,
    /// The player's while Thru is off: not sent.
    Silent,
    /// Release of a passed key or pedal, because Thru was switched off.
    Closing,
    /// The plan.
    Plan,
}

/// Numbers of what happened, so that a run that tests nothing is noticed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Blocks checked.
    pub blocks: u64,
    /// Planned notes that started.
    pub planned: u64,
    /// Of those, ended because the player took or released the key.
    pub taken: u64,
    /// Of those, ended by stop, bypass, reset, mode or state.
    pub ended: u64,
    /// Messages of the player that were passed on.
    pub passed: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.blocks += other.blocks;
        self.planned += other.planned;
        self.taken += other.taken;
        self.ended += other.ended;
        self.passed += other.passed;
    }
}

/// The state that the messages so far imply.
#[derive(Debug, Default)]
pub struct Checker {
    /// Keys that the plug-in knows the player to hold.
    player: BTreeSet<Key>,
    /// Keys whose note-on was passed on, but not the note-off.
    passed: BTreeSet<Key>,
    /// Channels whose pedal was passed on as pressed.
    pedals: BTreeSet<u8>,
    /// Keys that the plan sounds.
    plan: BTreeSet<Key>,
    /// Thru in the last block; `None` before the first.
    was_open: Option<bool>,
    was_playing: bool,
    /// Whether the transport was stopped and nothing has started the clock since.
    quiet: bool,
    /// What happened so far.
    pub counts: Counts,
}

impl Checker {
    /// The instance was reset: it takes the player's keys as released.
    pub fn reset(&mut self) {
        self.player.clear();
    }

    /// The instance is gone.
    pub fn recreate(&mut self) {
        *self = Self { counts: self.counts, ..Self::default() };
    }

    /// Checks what a block sent.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn check(&mut self, given: Given<'_>, sent: &[Timed]) -> Result<(), String> {
        self.counts.blocks += 1;
        in_order(given.frames, sent)?;
        let is_open = given.thru || given.bypass;
        let strikes = given.messages.iter().any(|timed| matches!(timed.message, Message::NoteOn { velocity, .. } if velocity > 0.0));
        if self.was_playing && !given.playing {
            self.quiet = true;
        }
        if given.playing || given.play_pressed || strikes && !given.bypass {
            self.quiet = false;
        }
        let before = if given.ends_plan { self.plan.clone() } else { BTreeSet::new() };
        let events = self.label(given, is_open, sent)?;
        for (timed, origin) in &events {
            self.apply(timed, *origin, given).map_err(|error| format!("{timed:?} ({origin:?}): {error}"))?;
        }
        let is_off = |timed: &Timed, key: &Key| {
            timed.sample == 0 && matches!(timed.message, Message::NoteOff { channel, key: pitch, .. } if (channel, pitch) == *key)
        };
        if let Some(key) = before.iter().find(|key| !sent.iter().any(|timed| is_off(timed, key))) {
            return Err(format!("the planned note on {key:?} is not ended at the first sample after what ends the plan"));
        }
        self.counts.ended += u64::try_from(before.len()).unwrap_or(u64::MAX);
        if (self.quiet || given.bypass) && !self.plan.is_empty() {
            return Err(format!("planned notes sound while the transport is stopped or the plug-in bypassed: {:?}", self.plan));
        }
        (self.was_open, self.was_playing) = (Some(is_open), given.playing);
        Ok(())
    }

    /// The origin of each message sent, in order, and the player's messages that were not passed on.
    fn label(&mut self, given: Given<'_>, is_open: bool, sent: &[Timed]) -> Result<Vec<(Timed, Origin)>, String> {
        let mut origins = vec![Origin::Plan; sent.len()];
        let mut expect = |expected: Timed, origin: Origin| {
            // Of equal note-offs the plan's is sent first.
            let place = sent.iter().zip(&origins).rposition(|(timed, found)| *timed == expected && *found == Origin::Plan);
            place.map(|place| origins[place] = origin).ok_or(format!("{expected:?} is missing in the output ({origin:?})"))
        };
        let off = |&(channel, key): &Key| Message::NoteOff { channel, key, velocity: 0.0 };
        if self.was_open == Some(true) && !is_open {
            for message in self.passed.iter().map(off) {
                expect(Timed { sample: 0, message }, Origin::Closing)?;
            }
            for &channel in &self.pedals {
                expect(Timed { sample: 0, message: Message::Control { channel, controller: PEDAL, value: 0 } }, Origin::Closing)?;
            }
        }
        let mut silent = Vec::new();
        for timed in given.messages.iter().map(normalised) {
            if is_open {
                expect(timed, Origin::Passed)?;
                self.counts.passed += 1;
            } else {
                silent.push((timed, Origin::Silent));
            }
        }
        let mut events: Vec<_> = sent.iter().copied().zip(origins).chain(silent).collect();
        // What the player strikes in silence comes after the plan's note-off for that key, and before the plan's note-ons.
        events.sort_by_key(|(timed, origin)| (timed.sample, if *origin == Origin::Silent { 1 } else { 2 * timed.message.rank().min(1) }));
        Ok(events)
    }

    fn apply(&mut self, timed: &Timed, origin: Origin, given: Given<'_>) -> Result<(), String> {
        match (origin, timed.message) {
            (Origin::Plan, Message::NoteOn { channel, key, velocity }) => self.plan_on((channel, key), velocity, given),
            (Origin::Plan, Message::NoteOff { channel, key, .. }) => {
                let ends = self.plan.remove(&(channel, key));
                let takes = |other: &Timed| {
                    other.sample == timed.sample
                        && matches!(other.message, Message::NoteOn { channel: c, key: k, .. } if (c, k) == (channel, key))
                };
                self.counts.taken += u64::from(given.messages.iter().any(takes));
                ends.then_some(()).ok_or_else(|| "ends a key that the plan does not sound".to_owned())
            }
            (Origin::Plan, _) => Err("the plan sends notes only".to_owned()),
            (Origin::Closing, Message::NoteOff { channel, key, .. }) => {
                self.passed.remove(&(channel, key));
                self.not_planned((channel, key), "closing Thru ends a planned note")
            }
            (Origin::Closing, _) => {
                self.pedals.clear();
                Ok(())
            }
            (Origin::Passed | Origin::Silent, message) => self.player_sends(message, origin == Origin::Passed),
        }
    }

    fn plan_on(&mut self, key: Key, velocity: f32, given: Given<'_>) -> Result<(), String> {
        if self.player.contains(&key) {
            return Err("the plan strikes a key that the player holds".to_owned());
        }
        if self.quiet || given.bypass {
            return Err("the plan plays while the transport is stopped or the plug-in bypassed".to_owned());
        }
        if velocity <= 0.0 || velocity > 1.0 {
            return Err("a note-on with an invalid velocity".to_owned());
        }
        self.counts.planned += 1;
        self.plan.insert(key).then_some(()).ok_or_else(|| "the plan strikes a key that it sounds already".to_owned())
    }

    fn player_sends(&mut self, message: Message, is_passed: bool) -> Result<(), String> {
        match message {
            Message::NoteOn { channel, key, .. } => {
                self.not_planned(
                    (channel, key),
                    "the player strikes a key that the plan sounds, and the plan's note-off was not sent before",
                )?;
                self.player.insert((channel, key));
                if is_passed {
                    self.passed.insert((channel, key));
                }
            }
            Message::NoteOff { channel, key, .. } => {
                self.player.remove(&(channel, key));
                if is_passed {
                    self.passed.remove(&(channel, key));
                    // The receiver ends the plan's note with it.
                    self.counts.taken += u64::from(self.plan.remove(&(channel, key)));
                }
            }
            Message::Control { channel, controller: PEDAL, value } if is_passed => {
                if value >= 64 {
                    self.pedals.insert(channel);
                } else {
                    self.pedals.remove(&channel);
                }
            }
            Message::Control { channel, controller: RESET_CONTROLLERS, .. } if is_passed => {
                self.pedals.remove(&channel);
            }
            Message::Control { channel, controller: 120 | 123..=127, .. } => {
                self.player.retain(|(other, _)| *other != channel);
                if is_passed {
                    self.passed.retain(|(other, _)| *other != channel);
                    if self.plan.iter().any(|(other, _)| *other == channel) {
                        return Err("all notes of the channel end, but the plan's note-offs were not sent before".to_owned());
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn not_planned(&self, key: Key, fault: &str) -> Result<(), String> {
        if self.plan.contains(&key) { Err(fault.to_owned()) } else { Ok(()) }
    }
}

/// The message with MIDI's meaning: a note-on without velocity is a note-off.
fn normalised(timed: &Timed) -> Timed {
    match timed.message {
        Message::NoteOn { channel, key, velocity } if velocity <= 0.0 => {
            Timed { message: Message::NoteOff { channel, key, velocity: 0.0 }, ..*timed }
        }
        _ => *timed,
    }
}

/// Samples ascend within the block, and within a sample note-offs precede controllers, and these note-ons.
fn in_order(frames: u32, sent: &[Timed]) -> Result<(), String> {
    if let Some(timed) = sent.iter().find(|timed| timed.sample >= u64::from(frames)) {
        return Err(format!("{timed:?} lies beyond the block of {frames} samples"));
    }
    let place = |timed: &Timed| (timed.sample, timed.message.rank());
    let wrong = sent.windows(2).find(|pair| place(&pair[0]) > place(&pair[1]));
    wrong.map_or(Ok(()), |pair| Err(format!("{:?} was sent before {:?}", pair[0], pair[1])))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block and what it sent.
    type Sent<'a> = (Given<'a>, &'a [Timed]);

    const GIVEN: Given<'static> =
        Given { frames: 64, messages: &[], thru: true, bypass: false, playing: true, play_pressed: false, ends_plan: false };

    fn on(sample: u64, key: u8) -> Timed {
        Timed { sample, message: Message::NoteOn { channel: 0, key, velocity: 0.5 } }
    }

    fn off(sample: u64, key: u8) -> Timed {
        Timed { sample, message: Message::NoteOff { channel: 0, key, velocity: 0.0 } }
    }

    /// Outcome of the last of these blocks; those before it must be correct.
    fn last(blocks: &[Sent<'_>]) -> Result<(), String> {
        let mut checker = Checker::default();
        let (last, before) = blocks.split_last().expect("a block");
        for (given, sent) in before {
            checker.check(*given, sent).expect("correct");
        }
        checker.check(last.0, last.1)
    }

    #[test]
    fn correct_blocks_pass() {
        let strike = [on(9, 60)];
        let blocks: [Sent<'_>; 4] = [
            (GIVEN, &[on(0, 60), on(5, 62)]),
            (Given { messages: &strike, ..GIVEN }, &[off(9, 60), on(9, 60)]),
            (Given { thru: false, ..GIVEN }, &[off(0, 60)]),
            (Given { playing: false, ..GIVEN }, &[off(0, 62)]),
        ];
        last(&blocks).expect("correct");
    }

    #[test]
    fn each_fault_is_found() {
        let strike = [on(9, 60)];
        let struck = Given { messages: &strike, ..GIVEN };
        let halted = Given { playing: false, ..GIVEN };
        let faults: [(&[Sent<'_>], &str); 11] = [
            (&[(GIVEN, &[on(64, 60)])], "beyond the block"),
            (&[(GIVEN, &[on(3, 60), off(3, 60)])], "was sent before"),
            (&[(struck, &[])], "missing in the output"),
            (&[(struck, &[on(9, 60)]), (GIVEN, &[on(0, 60)])], "the player holds"),
            (&[(struck, &[on(9, 60)]), (GIVEN, &[off(0, 60)])], "does not sound"),
            (&[(GIVEN, &[on(0, 60)]), (struck, &[on(9, 60)])], "was not sent before"),
            (&[(GIVEN, &[on(0, 60)]), (GIVEN, &[on(0, 60)])], "sounds already"),
            (&[(GIVEN, &[on(0, 60)]), (halted, &[])], "sound while the transport is stopped"),
            (&[(GIVEN, &[]), (halted, &[]), (halted, &[on(0, 60)])], "plays while the transport is stopped"),
            (&[(GIVEN, &[on(0, 60)]), (Given { ends_plan: true, ..GIVEN }, &[off(1, 60)])], "not ended at the first sample"),
            (&[(Given { bypass: true, ..GIVEN }, &[on(0, 60)])], "bypassed"),
        ];
        for (blocks, fault) in faults {
            let found = last(blocks).expect_err(fault);
            assert!(found.contains(fault), "{found} for {fault}");
        }
    }
}
