//! Channels of planned notes.

use std::collections::BTreeSet;

use antiphon_engine::plan::{MidiKey, Step};
use antiphon_engine::session::Command;
use nice_plug::midi::NoteEvent;

use super::script::{BAR, BEAT, ScriptedHost};
use super::{SAMPLES_PER_TICK, set};
use crate::port::{Event, note_off, note_on};

/// A player who strikes a key on every beat of this channel.
fn player(channel: u8, beats: u8) -> Vec<(u32, Event)> {
    let stroke = |beat: u8| {
        let (key, at) = (MidiKey::new(channel, 60 + beat).unwrap(), u32::from(beat) * 24 * SAMPLES_PER_TICK);
        [(at, note_on(0, key, 90)), (at + 18 * SAMPLES_PER_TICK, note_off(0, key))]
    };
    (0..beats).flat_map(stroke).collect()
}

/// Channels of the planned notes that started from a tick on, by their distance in the plan: each role of the script has a key of its own.
fn channels(host: &ScriptedHost, from: i64) -> BTreeSet<(u8, u8)> {
    let mut started: Vec<(u32, u8, u8)> = host
        .out
        .iter()
        .filter_map(|&(at, event)| match event {
            NoteEvent::NoteOn { channel, key, .. } if i64::from(at / SAMPLES_PER_TICK) >= from && key.number_or_middle_c() < 60 => {
                Some((at, key.number_or_middle_c(), channel.number()?))
            }
            _ => None,
        })
        .collect();
    started.sort_unstable();
    let lowest = |at: u32| started.iter().filter(|other| other.0 == at).map(|other| other.1).min().unwrap_or(0);
    started.iter().map(|&(at, pitch, channel)| (pitch - lowest(at), channel)).collect()
}

/// Sets the roles of the plan to chords, bass and drums, which is also the order of their keys.
fn band(host: &ScriptedHost) {
    set(&host.params, "output_role", 2.0 / 16.0);
    set(&host.params, "output_role_2", 4.0 / 16.0);
    set(&host.params, "output_role_3", 3.0 / 16.0);
}

#[test]
fn planned_roles_go_to_their_channels_also_after_a_change() {
    let mut host = ScriptedHost::new(500);
    band(&host);
    host.play_to(2 * BAR + 6, &player(2, 8));
    host.press("play");
    host.play_to(4 * BAR, &[]);
    assert_eq!(channels(&host, 0), BTreeSet::from([(0, 2), (1, 2), (2, 9)]));
    set(&host.params, "channel_per_role", 1.0);
    set(&host.params, "output_channel", 9.0 / 16.0);
    host.play_to(4 * BAR + BEAT, &[]);
    host.play_to(6 * BAR, &[]);
    assert_eq!(channels(&host, 5 * BAR), BTreeSet::from([(0, 8), (1, 10), (2, 9)]));
}

#[test]
fn suggestion_of_the_history_is_played_on_the_channels_of_today() {
    let mut host = ScriptedHost::new(500);
    band(&host);
    host.play_to(2 * BAR + 6, &player(2, 8));
    host.commands.send(Command::Keep);
    host.play_to(3 * BAR, &[]);
    set(&host.params, "output_channel", 6.0 / 16.0);
    set(&host.params, "drum_channel", 11.0 / 15.0);
    host.commands.send(Command::Step(Step::Older));
    host.commands.send(Command::Play);
    host.play_to(6 * BAR, &[]);
    assert_eq!(channels(&host, 0), BTreeSet::from([(0, 5), (1, 5), (2, 11)]));
}
