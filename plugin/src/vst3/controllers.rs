//! Which of a VST3 host's controller changes are events.
//!
//! VST3 has no controllers: a plug-in that wants them shows a hidden parameter for each controller of each channel, and the host moves it when
//! the controller moves. Hosts also write parameters back: all of them after a project was loaded, those that they think differ after an undo.
//! Nobody has moved a controller then, and 2,080 events of that kind press every pedal and change every bank. So a change is an event only if
//! somebody moved the controller, as far as the host lets it be known:
//!
//! * the parameters begin at MIDI's defaults, so that a host that compares finds nothing to write;
//! * a value that the controller has already is no event;
//! * half of a channel's controllers in one block are written back, not moved;
//! * in the first second after a state was loaded nothing is an event, unless the transport rolls or a note is played.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Hidden parameters of a channel: the controllers 0 to 127, channel pressure and pitch bend.
pub(super) const PER_CHANNEL: usize = 130;
/// MIDI channels.
const CHANNELS: usize = 16;
/// All hidden parameters, channel by channel.
pub(super) const ALL: usize = CHANNELS * PER_CHANNEL;
/// Pitch bend among a channel's parameters, which has 14 bits; the others have 7.
const PITCH_BEND: usize = 129;
/// So many controllers of one channel in one block are written back: half of all.
const WRITTEN_BACK: u8 = 65;
/// How long a host may take to write parameters back after it loaded a state, in seconds.
const SETTLING: f64 = 1.0;

/// Where a controller stands after power-on, by the MIDI 1.0 recommended practice RP-015 and General MIDI.
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

/// Where a hidden parameter stands before anything moved it, 0 to 1.
pub(super) fn default_value(index: usize) -> f64 {
    let controller = index % PER_CHANNEL;
    f64::from(default_midi(controller)) / f64::from(highest(controller))
}

/// The value as it goes out.
fn midi_value(controller: usize, normalised: f32) -> u16 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 16,383 before")]
    let value = (normalised.clamp(0.0, 1.0) * f32::from(highest(controller))).round() as u16;
    value
}

/// Whether sending a value again says something: data entry and parameter numbers, which work in sequences, and channel mode messages.
const fn is_a_message(controller: usize) -> bool {
    matches!(controller, 6 | 38 | 96..=101 | 120..=127)
}

/// What all threads of the host see: the values of the hidden parameters, and how often a state was loaded.
#[derive(Debug)]
pub(super) struct Shown {
    /// 0 to 1, as bits of an `f32`, by index.
    values: Box<[AtomicU32]>,
    /// Rises by one when a load begins, and when it ends: odd while one goes on.
    loads: AtomicU32,
}

impl Shown {
    #[allow(clippy::cast_possible_truncation, reason = "the values are MIDI's")]
    pub(super) fn new() -> Arc<Self> {
        let values = (0..ALL).map(|index| AtomicU32::new((default_value(index) as f32).to_bits())).collect();
        Arc::new(Self { values, loads: AtomicU32::new(0) })
    }

    /// A parameter's value, 0 to 1. Indices beyond the last have none.
    pub(super) fn get(&self, index: usize) -> Option<f64> {
        self.values.get(index).map(|value| f32::from_bits(value.load(Ordering::Relaxed)).into())
    }

    pub(super) fn set(&self, index: usize, value: f32) {
        if let Some(place) = self.values.get(index) {
            place.store(value.to_bits(), Ordering::Relaxed);
        }
    }

    /// Runs a load of a state.
    pub(super) fn load<R>(&self, load: impl FnOnce() -> R) -> R {
        self.loads.fetch_add(1, Ordering::Relaxed);
        let loaded = load();
        self.loads.fetch_add(1, Ordering::Relaxed);
        loaded
    }
}

/// What a block says besides its controllers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct BlockInfo {
    /// Samples.
    pub(super) frames: u32,
    /// The transport rolls.
    pub(super) playing: bool,
    /// In quarters, where the host says it.
    pub(super) position: Option<f64>,
    /// Notes come in.
    pub(super) has_notes: bool,
}

/// A controller as whoever is behind the plug-in knows it.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// As it goes out.
    value: u16,
    /// It was sent, not just assumed.
    sent: bool,
}

/// The audio thread's side.
#[derive(Debug)]
pub(super) struct Controllers {
    shown: Arc<Shown>,
    known: Box<[Known]>,
    /// How many controllers of each channel change in this block.
    changing: [u8; CHANNELS],
    /// Loads as of the last block.
    loads: u32,
    /// Nobody has played since the instance was made, or a state was loaded.
    untouched: bool,
    /// Samples for which nothing is an event.
    settling: u64,
    /// Hertz.
    sample_rate: f64,
    /// The block before.
    last: BlockInfo,
    /// The current block.
    block: BlockInfo,
}

impl Controllers {
    pub(super) fn new(shown: Arc<Shown>) -> Self {
        let known = (0..ALL).map(|index| Known { value: default_midi(index % PER_CHANNEL), sent: false }).collect();
        Self {
            shown,
            known,
            changing: [0; CHANNELS],
            loads: 0,
            untouched: true,
            settling: 0,
            sample_rate: 0.0,
            last: BlockInfo::default(),
            block: BlockInfo::default(),
        }
    }

    pub(super) fn set_sample_rate(&mut self, hertz: f64) {
        self.sample_rate = hertz;
    }

    /// A block begins.
    pub(super) fn begin(&mut self, block: BlockInfo) {
        let loads = self.shown.loads.load(Ordering::Relaxed);
        self.settling = self.settling.saturating_sub(self.block.frames.into());
        if loads != self.loads || loads % 2 == 1 {
            self.loads = loads;
            self.untouched = true;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
            let settling = (self.sample_rate * SETTLING) as u64;
            // This block at least.
            self.settling = settling.max(block.frames.into()).max(1);
        }
        if block.playing || block.has_notes {
            self.untouched = false;
            self.settling = 0;
        }
        // Hosts send controllers again where playing begins or goes back, since something may have changed behind the plug-in.
        let goes_back = self.last.position.zip(block.position).is_some_and(|(last, now)| now < last);
        if block.playing && (!self.last.playing || goes_back) {
            self.known.iter_mut().for_each(|known| known.sent = false);
        }
        self.changing = [0; CHANNELS];
        (self.last, self.block) = (block, block);
    }

    /// A controller changes in this block, once or several times. Said of all before the first is [admitted](Self::admit).
    pub(super) fn announce(&mut self, index: usize) {
        if let Some(count) = self.changing.get_mut(index / PER_CHANNEL) {
            *count = count.saturating_add(1);
        }
    }

    /// Whether a change is an event.
    pub(super) fn admit(&mut self, index: usize, value: f32) -> bool {
        if !value.is_finite() || index >= ALL {
            return false;
        }
        self.shown.set(index, value);
        let (channel, controller) = (index / PER_CHANNEL, index % PER_CHANNEL);
        // Blocks without samples flush parameters: no event comes out of them.
        if self.block.frames == 0 || self.settling > 0 || self.changing[channel] >= WRITTEN_BACK {
            return false;
        }
        let value = midi_value(controller, value);
        let known = &mut self.known[index];
        let is_same = known.value == value;
        if is_same && (self.untouched || (known.sent && !is_a_message(controller))) {
            return false;
        }
        *known = Known { value, sent: true };
        self.untouched &= is_same;
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

    fn controllers() -> (Controllers, Arc<Shown>) {
        let shown = Shown::new();
        let mut controllers = Controllers::new(Arc::clone(&shown));
        controllers.set_sample_rate(48_000.0);
        (controllers, shown)
    }

    /// Which of these changes, in a block of their own, are events.
    fn play(controllers: &mut Controllers, block: BlockInfo, changes: &[(usize, f32)]) -> Vec<bool> {
        controllers.begin(block);
        changes.iter().for_each(|(index, _)| controllers.announce(*index));
        changes.iter().map(|(index, value)| controllers.admit(*index, *value)).collect()
    }

    #[test]
    fn parameters_begin_at_midi_defaults() {
        let (_, shown) = controllers();
        for channel in 0..16 {
            let midi = |controller: usize| shown.get(channel * PER_CHANNEL + controller).map(|value| value * 127.0);
            for (controller, value) in [(0, 0.0), (7, 100.0), (8, 64.0), (10, 64.0), (11, 127.0), (64, 0.0), (128, 0.0)] {
                assert!((midi(controller).unwrap() - value).abs() < 1e-4, "{controller}");
            }
            assert!((midi(PITCH_BEND).unwrap() / 127.0 * 16_383.0 - 8192.0).abs() < 0.01);
        }
        assert_eq!(shown.get(ALL), None);
    }

    #[test]
    fn all_parameters_at_once_are_no_events_whatever_their_values() {
        let (mut controllers, shown) = controllers();
        for (block, value) in [(LIVE, 0.5), (ROLLING, 0.25), (BlockInfo { has_notes: true, ..LIVE }, 1.0)] {
            let all: Vec<_> = (0..ALL).map(|index| (index, value)).collect();
            assert!(!play(&mut controllers, block, &all).contains(&true));
            assert_eq!(shown.get(5), Some(value.into()), "the host reads what it wrote");
        }
        assert_eq!(play(&mut controllers, LIVE, &[(PEDAL, 1.0)]), [true], "somebody presses the pedal");
    }

    #[test]
    fn values_written_back_one_by_one_are_no_events_before_somebody_plays() {
        let (mut controllers, shown) = controllers();
        #[allow(clippy::cast_possible_truncation, reason = "it was one")]
        for index in 0..ALL {
            let value = shown.get(index).unwrap() as f32;
            assert_eq!(play(&mut controllers, LIVE, &[(index, value)]), [false], "{index}");
        }
        assert_eq!(play(&mut controllers, LIVE, &[(VOLUME, 0.5)]), [true]);
    }

    #[test]
    fn first_value_of_a_rolling_song_is_an_event_and_its_repetition_is_none() {
        let (mut controllers, _) = controllers();
        let volume = (VOLUME, 100.0 / 127.0);
        let at = |position| BlockInfo { position: Some(position), ..ROLLING };
        assert_eq!(play(&mut controllers, at(0.0), &[volume, volume]), [true, false]);
        assert_eq!(play(&mut controllers, at(0.1), &[volume]), [false]);
        // The loop begins again: what is behind the plug-in may have been changed.
        assert_eq!(play(&mut controllers, at(0.0), &[volume]), [true]);
        assert_eq!(play(&mut controllers, LIVE, &[volume]), [false]);
        assert_eq!(play(&mut controllers, ROLLING, &[volume]), [true]);
    }

    #[test]
    fn messages_are_events_each_time_they_are_sent() {
        let (mut controllers, _) = controllers();
        for controller in [6, 38, 96, 101, 120, 121, 123, 127] {
            assert_eq!(play(&mut controllers, ROLLING, &[(controller, 0.0), (controller, 0.0)]), [true, true], "{controller}");
        }
    }

    #[test]
    fn changes_after_a_load_are_no_events_until_a_second_is_over_or_somebody_plays() {
        let changes = [(PEDAL, 1.0), (VOLUME, 0.1)];
        let (mut controllers, shown) = controllers();
        assert!(shown.load(|| true));
        let blocks = 48_000 / 64;
        for _ in 0..blocks {
            assert_eq!(play(&mut controllers, LIVE, &changes), [false; 2]);
        }
        assert_eq!(play(&mut controllers, LIVE, &changes), [true; 2]);
        for block in [ROLLING, BlockInfo { has_notes: true, ..LIVE }] {
            let (mut controllers, shown) = self::controllers();
            shown.load(|| assert_eq!(play(&mut controllers, LIVE, &changes), [false; 2]));
            assert_eq!(play(&mut controllers, block, &changes), [true; 2]);
        }
    }

    #[test]
    fn values_that_are_none_and_blocks_without_samples_make_no_events() {
        let (mut controllers, shown) = controllers();
        assert_eq!(play(&mut controllers, LIVE, &[(PEDAL, f32::NAN), (PEDAL, f32::INFINITY), (ALL, 0.5)]), [false; 3]);
        assert_eq!(play(&mut controllers, BlockInfo { frames: 0, ..LIVE }, &[(PEDAL, 1.0)]), [false]);
        assert_eq!(shown.get(PEDAL), Some(1.0));
        assert_eq!(play(&mut controllers, LIVE, &[(PEDAL, 1.0)]), [true]);
    }
}
