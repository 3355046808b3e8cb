//! Tests of the session behind the audio thread's path, with the real engine or a scripted worker.

mod accompany;
mod answer;
mod band;
mod bypass;
mod chords;
mod context;
mod controls;
mod history;
mod infill;
mod memory;
mod missing;
mod modes;
mod pause;
mod play;
mod real;
mod real_variations;
mod routing;
mod script;
mod slow;
mod stop;
mod take;
mod trade;
mod variations;
mod window;

use nice_plug::midi::NoteEvent;
use nice_plug::params::Params;

use crate::params::AntiphonParams;
use crate::port::Event;

/// 120 bpm at 48 kHz.
const SAMPLES_PER_TICK: u32 = 1000;

/// Sets a parameter as a host does.
fn set(params: &AntiphonParams, id: &str, normalised: f32) {
    let (_, param, _) = params.param_map().into_iter().find(|(name, ..)| name == id).unwrap();
    // SAFETY: the pointer lives as long as `params`.
    unsafe { param._internal_set_normalized_value(normalised) };
}

/// The event at another sample.
fn timed(event: Event, timing: u32) -> Event {
    match event {
        NoteEvent::NoteOn { voice_id, channel, key, velocity, .. } => NoteEvent::NoteOn { timing, voice_id, channel, key, velocity },
        NoteEvent::NoteOff { voice_id, channel, key, velocity, .. } => NoteEvent::NoteOff { timing, voice_id, channel, key, velocity },
        other => other,
    }
}
