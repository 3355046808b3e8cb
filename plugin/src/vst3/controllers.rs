//! Decides which of a VST3 host's controller changes are events.
//!
//! VST3 has no controllers: a plug-in that wants them exposes a hidden parameter for each controller of each channel, and the host sets it
//! when the controller moves. Hosts also write parameters back: all of them after loading a project, those they believe changed after an
//! undo. No controller moved then, and 2,080 such events would press every pedal and change every bank. So a change counts as an event only
//! if a controller moved, as far as that can be determined:
//!
//! * parameters start at MIDI's defaults, so that a host that compares finds nothing to write;
//! * a value the controller already has is no event;
//! * if half of a channel's controllers change in one block, they were written back;
//! * in the first second after a state was loaded nothing is an event, unless the transport rolls or a note is played.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Hidden parameters per channel: controllers 0 to 127, channel pressure and pitch bend.
pub(super) const PER_CHANNEL: usize = 130;
/// MIDI channels.
const CHANNELS: usize = 16;
/// Number of hidden parameters; stored channel by channel.
pub(super) const ALL: usize = CHANNELS * PER_CHANNEL;
/// Index of pitch bend within a channel. It has 14 bits; the others have 7.
const PITCH_BEND: usize = 129;
/// Reset All Controllers (MIDI 1.0): changes the other controllers of its channel.
const RESET_ALL: usize = 121;
/// Number of controllers changing in one block, per channel, from which they count as written back: half of them.
const WRITTEN_BACK: u8 = 65;
/// Time after loading a state during which hosts may write parameters back, in seconds.
const SETTLING: f64 = 1.0;

/// Power-on value of a controller, by the MIDI 1.0 recommended practice RP-015 and General MIDI.
const fn default_midi(controller: usize) -> u16 {
    match controller {
        7 => 100,
        8 | 10 => 64,
        11 => 127,
        PITCH_BEND => 8192,
        _ => 0,
    }
}

const fn highest(controller: usize) -> u16 {
    if controller == PITCH_BEND { 16_383 } else { 127 }
}

/// Default of a hidden parameter, 0 to 1.
pub(super) fn default_value(index: usize) -> f64 {
    let controller = index % PER_CHANNEL;
    f64::from(default_midi(controller)) / f64::from(highest(controller))
}

/// The value as sent in MIDI.
fn midi_value(controller: usize, normalised: f32) -> u16 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 16,383 before")]
    let value = (normalised.clamp(0.0, 1.0) * f32::from(highest(controller))).round() as u16;
    value
}

/// Whether repeating a value is meaningful: data entry and parameter numbers, which work in sequences, and channel mode messages.
const fn is_a_message(controller: usize) -> bool {
    matches!(controller, 6 | 38 | 96..=101 | 120..=127)
}

/// Values of the hidden parameters, and the number of state loads. Shared by all host threads.
#[derive(Debug)]
pub(super) struct ControllerValues {
    /// Values from 0 to 1, as bits of an `f32`, by index.
    values: Box<[AtomicU32]>,
    /// Incremented when a load begins and when it ends: odd during a load.
    loads: AtomicU32,
}

impl ControllerValues {
    #[allow(clippy::cast_possible_truncation, reason = "the values are MIDI's")]
    pub(super) fn new() -> Arc<Self> {
        let values = (0..ALL).map(|index| AtomicU32::new((default_value(index) as f32).to_bits())).collect();
        Arc::new(Self { values, loads: AtomicU32::new(0) })
    }

    /// A parameter's value, 0 to 1; `None` for an index out of range.
    pub(super) fn get(&self, index: usize) -> Option<f64> {
        self.values.get(index).map(|value| f32::from_bits(value.load(Ordering::Relaxed)).into())
    }

    pub(super) fn set(&self, index: usize, value: f32) {
        if let Some(place) = self.values.get(index) {
            place.store(value.to_bits(), Ordering::Relaxed);
        }
    }

    /// Runs a state load.
    pub(super) fn load<R>(&self, load: impl FnOnce() -> R) -> R {
        self.loads.fetch_add(1, Ordering::Relaxed);
        let loaded = load();
        self.loads.fetch_add(1, Ordering::Relaxed);
        loaded
    }
}

/// Properties of a block that help to classify controller changes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct BlockInfo {
    /// Length in samples.
    pub(super) frames: u32,
    /// Whether the transport is rolling.
    pub(super) playing: bool,
    /// Song position in quarters, if reported.
    pub(super) position: Option<f64>,
    /// Whether it contains notes.
    pub(super) has_notes: bool,
}

/// A controller value as known by the receiver behind the plug-in.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// MIDI value.
    value: u16,
    /// Whether it was sent, rather than assumed.
    sent: bool,
}

/// Classifies controller changes on the audio thread.
#[derive(Debug)]
pub(super) struct Controllers {
    values: Arc<ControllerValues>,
    known: Box<[Known]>,
    /// Number of controllers of each channel that change in this block.
    changing: [u8; CHANNELS],
    /// Load count as of the last block.
    loads: u32,
    /// Whether nobody has played since the instance was created or a state was loaded.
    idle: bool,
    /// Samples left for which no change is an event.
    settling: u64,
    /// In hertz.
    sample_rate: f64,
    /// The previous block.
    last: BlockInfo,
    /// The current block.
    block: BlockInfo,
}

impl Controllers {
    pub(super) fn new(values: Arc<ControllerValues>) -> Self {
        let known = (0..ALL).map(|index| Known { value: default_midi(index % PER_CHANNEL), sent: false }).collect();
        Self {
            values,
            known,
            changing: [0; CHANNELS],
            loads: 0,
            idle: true,
            settling: 0,
            sample_rate: 0.0,
            last: BlockInfo::default(),
            block: BlockInfo::default(),
        }
    }

    pub(super) fn set_sample_rate(&mut self, hertz: f64) {
        self.sample_rate = hertz;
    }

    /// Begins a block.
    pub(super) fn begin(&mut self, block: BlockInfo) {
        let loads = self.values.loads.load(Ordering::Relaxed);
        self.settling = self.settling.saturating_sub(self.block.frames.into());
        if loads != self.loads || loads % 2 == 1 {
            self.loads = loads;
            self.idle = true;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
            let settling = (self.sample_rate * SETTLING) as u64;
            // At least for this block.
            self.settling = settling.max(block.frames.into()).max(1);
            self.invalidate_known();
        }
        if block.playing || block.has_notes {
            self.idle = false;
            self.settling = 0;
        }
        // Hosts resend controllers when playback starts or jumps back, since the receiver may have changed meanwhile.
        let goes_back = self.last.position.zip(block.position).is_some_and(|(last, now)| now < last);
        if block.playing && (!self.last.playing || goes_back) {
            self.invalidate_known();
        }
        self.changing = [0; CHANNELS];
        (self.last, self.block) = (block, block);
    }

    /// The receiver may have other values by now: the next change of each controller is sent, whatever its value.
    pub(super) fn invalidate_known(&mut self) {
        self.known.iter_mut().for_each(|known| known.sent = false);
    }

    /// Announces a controller that changes in this block, once or several times. Must be called for all before the first
    /// [`is_event`](Self::is_event).
    pub(super) fn announce(&mut self, index: usize) {
        if let Some(count) = self.changing.get_mut(index / PER_CHANNEL) {
            *count = count.saturating_add(1);
        }
    }

    /// Whether a change is an event to send. Also stores the value.
    pub(super) fn is_event(&mut self, index: usize, value: f32) -> bool {
        if !value.is_finite() || index >= ALL {
            return false;
        }
        self.values.set(index, value);
        let (channel, controller) = (index / PER_CHANNEL, index % PER_CHANNEL);
        // Blocks without samples are parameter flushes and send no events.
        if self.block.frames == 0 || self.settling > 0 || self.changing[channel] >= WRITTEN_BACK {
            return false;
        }
        let value = midi_value(controller, value);
        let known = &mut self.known[index];
        let is_same = known.value == value;
        if is_same && (self.idle || (known.sent && !is_a_message(controller))) {
            return false;
        }
        *known = Known { value, sent: true };
        self.idle &= is_same;
        if controller == RESET_ALL {
            let channel = channel * PER_CHANNEL..(channel + 1) * PER_CHANNEL;
            self.known[channel].iter_mut().for_each(|known| known.sent = false);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: BlockInfo = BlockInfo { frames: 64, playing: false, position: None, has_notes: false };
    const ROLLING: BlockInfo = BlockInfo { playing: true, ..LIVE };
    const PEDAL: usize = 64;
    const VOLUME: usize = 7;

    fn controllers() -> (Controllers, Arc<ControllerValues>) {
        let values = ControllerValues::new();
        let mut controllers = Controllers::new(Arc::clone(&values));
        controllers.set_sample_rate(48_000.0);
        (controllers, values)
    }

    /// Which of these changes, in a block of their own, are events.
    fn play(controllers: &mut Controllers, block: BlockInfo, changes: &[(usize, f32)]) -> Vec<bool> {
        controllers.begin(block);
        changes.iter().for_each(|(index, _)| controllers.announce(*index));
        changes.iter().map(|(index, value)| controllers.is_event(*index, *value)).collect()
    }

    #[test]
    fn parameters_begin_at_midi_defaults() {
        let (_, values) = controllers();
        for channel in 0..16 {
            let midi = |controller: usize| values.get(channel * PER_CHANNEL + controller).map(|value| value * 127.0);
            for (controller, value) in [(0, 0.0), (7, 100.0), (8, 64.0), (10, 64.0), (11, 127.0), (64, 0.0), (128, 0.0)] {
                assert!((midi(controller).unwrap() - value).abs() < 1e-4, "{controller}");
            }
            assert!((midi(PITCH_BEND).unwrap() / 127.0 * 16_383.0 - 8192.0).abs() < 0.01);
        }
        assert_eq!(values.get(ALL), None);
    }

    #[test]
    fn all_parameters_at_once_are_no_events_whatever_their_values() {
        let (mut controllers, values) = controllers();
        for (block, value) in [(LIVE, 0.5), (ROLLING, 0.25), (BlockInfo { has_notes: true, ..LIVE }, 1.0)] {
            let all: Vec<_> = (0..ALL).map(|index| (index, value)).collect();
            assert!(!play(&mut controllers, block, &all).contains(&true));
            assert_eq!(values.get(5), Some(value.into()), "the host reads what it wrote");
        }
        assert_eq!(play(&mut controllers, LIVE, &[(PEDAL, 1.0)]), [true], "somebody presses the pedal");
    }

    #[test]
    fn values_written_back_one_by_one_before_playing_are_no_events() {
        let (mut controllers, values) = controllers();
        #[allow(clippy::cast_possible_truncation, reason = "it was one")]
        for index in 0..ALL {
            let value = values.get(index).unwrap() as f32;
            assert_eq!(play(&mut controllers, LIVE, &[(index, value)]), [false], "{index}");
        }
        assert_eq!(play(&mut controllers, LIVE, &[(VOLUME, 0.5)]), [true]);
    }

    #[test]
    fn first_value_after_a_start_is_an_event_and_its_repetition_is_none() {
        let (mut controllers, _) = controllers();
        let volume = (VOLUME, 100.0 / 127.0);
        let at = |position| BlockInfo { position: Some(position), ..ROLLING };
        assert_eq!(play(&mut controllers, at(0.0), &[volume, volume]), [true, false]);
        assert_eq!(play(&mut controllers, at(0.1), &[volume]), [false]);
        // The loop restarts, so the receiver may have changed.
        assert_eq!(play(&mut controllers, at(0.0), &[volume]), [true]);
        assert_eq!(play(&mut controllers, LIVE, &[volume]), [false]);
        assert_eq!(play(&mut controllers, ROLLING, &[volume]), [true]);
    }

    #[test]
    fn value_is_sent_again_after_a_reset_and_after_a_change_of_settings() {
        let (mut controllers, _) = controllers();
        let at = |channel| (channel * PER_CHANNEL + 1, 0.75);
        assert_eq!(play(&mut controllers, ROLLING, &[at(2), at(3)]), [true, true]);
        assert_eq!(play(&mut controllers, ROLLING, &[(2 * PER_CHANNEL + RESET_ALL, 0.0), at(2), at(3)]), [true, true, false]);
        assert_eq!(play(&mut controllers, ROLLING, &[at(2)]), [false]);
        // Thru may have been off.
        controllers.invalidate_known();
        assert_eq!(play(&mut controllers, ROLLING, &[at(2), at(2)]), [true, false]);
    }

    #[test]
    fn messages_are_events_each_time_they_are_sent() {
        let (mut controllers, _) = controllers();
        for controller in [6, 38, 96, 101, 120, 121, 123, 127] {
            assert_eq!(play(&mut controllers, ROLLING, &[(controller, 0.0), (controller, 0.0)]), [true, true], "{controller}");
        }
    }

    #[test]
    fn changes_in_the_second_after_a_load_are_no_events_unless_music_plays() {
        let changes = [(PEDAL, 1.0), (VOLUME, 0.1)];
        let (mut controllers, values) = controllers();
        assert!(values.load(|| true));
        let blocks = 48_000 / 64;
        for _ in 0..blocks {
            assert_eq!(play(&mut controllers, LIVE, &changes), [false; 2]);
        }
        assert_eq!(play(&mut controllers, LIVE, &changes), [true; 2]);
        for block in [ROLLING, BlockInfo { has_notes: true, ..LIVE }] {
            let (mut controllers, values) = self::controllers();
            values.load(|| assert_eq!(play(&mut controllers, LIVE, &changes), [false; 2]));
            assert_eq!(play(&mut controllers, block, &changes), [true; 2]);
        }
    }

    #[test]
    fn invalid_values_and_empty_blocks_make_no_events() {
        let (mut controllers, values) = controllers();
        assert_eq!(play(&mut controllers, LIVE, &[(PEDAL, f32::NAN), (PEDAL, f32::INFINITY), (ALL, 0.5)]), [false; 3]);
        assert_eq!(play(&mut controllers, BlockInfo { frames: 0, ..LIVE }, &[(PEDAL, 1.0)]), [false]);
        assert_eq!(values.get(PEDAL), Some(1.0));
        assert_eq!(play(&mut controllers, LIVE, &[(PEDAL, 1.0)]), [true]);
    }
}
