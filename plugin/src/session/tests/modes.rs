//! Modes switched while playing, as by automation.

use nice_plug::midi::NoteEvent;

use super::script::{BAR, BEAT, ScriptedHost, stroke};
use super::set;
use crate::meters::Count;
use crate::port::Event;

/// Steps of the Mode parameter, each for two and a half bars: every mode follows every other.
const STEPS: [u8; 21] = [0, 1, 0, 2, 0, 3, 0, 4, 1, 2, 1, 3, 1, 4, 2, 3, 2, 4, 3, 4, 0];

/// What comes out while the mode is switched and the player plays in every other bar; the transport stops at the end.
fn perform(frames: u32) -> Vec<(u32, Event)> {
    let mut host = ScriptedHost::new(frames);
    set(&host.params, "horizon", 0.0);
    set(&host.params, "trade_bars", 0.0);
    set(&host.params, "answer_after", 0.0);
    // The bars from the next line on are marked.
    set(&host.params, "infill_bars", 1.0);
    let beats = (0..212).filter(|beat| beat / 4 % 2 == 0);
    let player: Vec<_> = beats.flat_map(|beat| stroke(beat * BEAT, 18, u8::try_from(70 + beat % 50).unwrap())).collect();
    for (index, step) in (1..).zip(STEPS) {
        set(&host.params, "infill_from", (((index - 1) * 240 / BAR) + 1) as f32 / 998.0);
        set(&host.params, "mode", f32::from(step) / 4.0);
        host.play_to(index * 240, &player);
    }
    host.playing = false;
    host.play_to(54 * BAR, &[]);
    assert_eq!(host.count(Count::Late), 0);
    host.out
}

#[test]
fn switched_modes_leave_no_hanging_note_at_any_block_length() {
    let whole = perform(64);
    let mut sounding: Vec<u8> = Vec::new();
    let mut planned = 0;
    for (sample, event) in &whole {
        match event {
            NoteEvent::NoteOn { key, .. } => {
                let pitch = key.number_or_middle_c();
                assert!(!sounding.contains(&pitch), "{pitch} is struck again at {sample}");
                planned += usize::from(pitch < 70);
                sounding.push(pitch);
            }
            NoteEvent::NoteOff { key, .. } => sounding.retain(|pitch| *pitch != key.number_or_middle_c()),
            _ => {}
        }
    }
    assert!(sounding.is_empty(), "{sounding:?}");
    assert!(planned >= 60, "{planned} planned notes");
    for frames in [16, 480, 2048] {
        assert_eq!(perform(frames), whole, "in blocks of {frames}");
    }
}
