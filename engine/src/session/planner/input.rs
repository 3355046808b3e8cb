//! Input state: the player's notes, the planned notes that sounded, the clock and the current controls.

use crate::music::{Note, Role, TICKS_PER_QUARTER, Tick};
use crate::plan::{MidiKey, MusicalClock, MusicalTime, PlayerChannel, SongLoop, whole};
use ringbuf::HeapCons;
use ringbuf::traits::Consumer;

use super::super::commands::CommandQueue;
use super::super::player::{Player, Strike};
use super::super::sounded::Sounded;
use super::performance::PlayerManner;
use super::player_channels::PlayerChannels;
use crate::session::ControlValues;
use crate::session::protocol::InputEvent;
use crate::session::withheld::WithheldNote;

/// Lead in ticks over the tick that the audio thread has reached that notes need to arrive in time: it is within that tick, and the first note of a bar may start
/// half a tick before the bar line.
const LEAD: Tick = Tick(2);

/// Inputs of the planner: the audio thread's ring, and the window's channel.
pub(super) struct Inbox {
    events: HeapCons<InputEvent>,
    pub(super) commands: CommandQueue,
    /// Events since the last `TimeReached`: handled with the controls that it carries.
    pub(super) untimed: Vec<InputEvent>,
    /// Events taken from the ring since the start.
    pub(super) taken: u64,
}

impl Inbox {
    /// An empty inbox. Commands sent before the session started are dropped: they refer to what the window showed then.
    pub(super) fn new(events: HeapCons<InputEvent>, commands: CommandQueue) -> Self {
        while commands.next().is_some() {}
        Self { events, commands, untimed: Vec::new(), taken: 0 }
    }

    /// Tick that the audio thread has reached by the events that were not taken yet.
    pub(super) fn reached(&self) -> Option<Tick> {
        self.events.iter().rev().find_map(|event| match event {
            InputEvent::TimeReached { at, .. } => Some(at.tick()),
            _ => None,
        })
    }

    /// Next event of the audio thread.
    pub(super) fn next(&mut self) -> Option<InputEvent> {
        let message = self.events.try_pop()?;
        self.taken += 1;
        Some(message)
    }
}

/// The music so far, and the state of the transport and of the controls.
pub(super) struct Input {
    pub(super) clock: MusicalClock,
    pub(super) running: bool,
    /// Whether the clock follows the host's transport; otherwise it runs by itself, and song positions mean nothing to other instances.
    pub(super) follows_host: bool,
    /// Tick that the audio thread has reached: the earliest that it can still schedule.
    pub(super) reached: Tick,
    pub(super) player: Player,
    pub(super) sounded: Sounded,
    /// Planned notes that did not sound, in order of time.
    pub(super) withheld: Vec<WithheldNote>,
    /// MIDI channels of the player's notes.
    channels: PlayerChannels,
    /// `None` until the audio thread has sent them.
    pub(super) controls: Option<ControlValues>,
    /// Loudness and swing of the player.
    pub(super) manner: PlayerManner,
    /// Quarters per minute.
    pub(super) tempo: f64,
    /// Loop that the host's song is in or will reach, if it reports one.
    pub(super) song_loop: Option<SongLoop>,
    /// Counts notes of the player that the context has no room for.
    count_ignored: Box<dyn Fn(u64) + Send>,
}

impl Input {
    pub(super) fn new(clock: MusicalClock, tempo: f64, count_ignored: Box<dyn Fn(u64) + Send>) -> Self {
        Self {
            clock,
            running: false,
            follows_host: false,
            reached: Tick::ZERO,
            player: Player::default(),
            sounded: Sounded::default(),
            withheld: Vec::new(),
            channels: PlayerChannels::default(),
            controls: None,
            manner: PlayerManner::default(),
            tempo,
            song_loop: None,
            count_ignored,
        }
    }

    /// Records a note or pedal event; the clock has been advanced to its time. Other events change nothing here.
    pub(super) fn record(&mut self, message: InputEvent) {
        match message {
            InputEvent::NoteOn { at, key, velocity } => {
                self.channels.strike(key.channel());
                if self.player.strike(key, velocity, self.role_on(key.channel()), at) == Strike::LeftOut {
                    (self.count_ignored)(1);
                }
            }
            InputEvent::NoteOff { at, key } => {
                self.channels.let_go(key.channel());
                self.player.let_go(key, at);
            }
            InputEvent::Pedal { at, channel, pressed } => self.player.pedal(channel, pressed, at),
            InputEvent::InputLost { at } => {
                self.channels.release();
                self.player.release(at);
            }
            InputEvent::NoteStarted { note, channel, .. } => {
                if let Some(key) = MidiKey::new(channel, note.pitch) {
                    self.sounded.start(key, note);
                }
            }
            InputEvent::NoteEnded { at, key } => self.sounded.end(key, self.planned_time(at)),
            InputEvent::Withheld { note, reason, .. } => self.withheld.push(WithheldNote { note, reason }),
            InputEvent::TimeReached { .. }
            | InputEvent::PlanInvalidated { .. }
            | InputEvent::PlanYielded { .. }
            | InputEvent::TransportChange { .. }
            | InputEvent::Command { .. } => {}
        }
    }

    /// All notes that start before a tick, in order of time: the player's, and those of plans that were played.
    pub(super) fn notes_before(&self, tick: Tick) -> Vec<Note> {
        in_order(self.player.notes().chain(self.sounded.notes()).filter(|note| note.onset < tick))
    }

    /// Antiphon's notes that sounded, in order of time.
    pub(super) fn by_antiphon(&self) -> Vec<Note> {
        in_order(self.sounded.notes())
    }

    /// Whether there is a note to go on from.
    pub(super) fn has_notes(&self) -> bool {
        self.player.notes().next().is_some() || self.sounded.notes().next().is_some()
    }

    /// The player's notes that start before a tick, in order of time.
    pub(super) fn player_before(&self, tick: Tick) -> Vec<Note> {
        in_order(self.player.notes().filter(|note| note.onset < tick))
    }

    /// Measures how the player plays, at a planning tick.
    /// `player` are the player's notes before it, in order of time.
    pub(super) fn measure_player(&mut self, player: &[Note], now: Tick) {
        self.manner.measure(player, now, |onset| self.clock.bar_at(onset).map(|bar| bar.start));
    }

    /// Notes that start before this are not needed any more, once they have ended.
    pub(super) fn forget_before(&mut self, start: Tick) {
        self.player.forget_before(start);
        self.sounded.forget_before(start);
        self.withheld.retain(|withheld| withheld.note.onset >= start);
    }

    /// Role of the player in the last note.
    pub(super) fn role(&self) -> Role {
        self.player_channel().role
    }

    /// The player's channel and role by the last note.
    pub(super) fn player_channel(&self) -> PlayerChannel {
        let player = self.channels.player();
        PlayerChannel { role: self.input_role().unwrap_or(player.role), ..player }
    }

    /// MIDI channel, 0 to 15, of planned notes of a role, beside a player on this channel.
    pub(super) fn channel_of(&self, role: Role, player: PlayerChannel) -> u8 {
        let controls = self.controls.unwrap_or_default();
        controls.output.routing.channel(role, player, controls.planned(player.role))
    }

    /// The role set by the control, otherwise the one of the channel.
    fn role_on(&self, channel: u8) -> Role {
        self.input_role().unwrap_or_else(|| self.channels.role_on(channel))
    }

    /// The role set by the control.
    fn input_role(&self) -> Option<Role> {
        self.controls.and_then(|controls| controls.roles.input)
    }

    /// Planned time of what the audio thread plays at a time.
    pub(super) fn planned_time(&self, at: MusicalTime) -> Tick {
        MusicalTime(at.0 - self.output_offset()).nearest().0
    }

    /// Ticks by which the audio thread plays planned notes before their time.
    fn early(&self) -> Tick {
        Tick(whole((-self.output_offset()).ceil().max(0.0)))
    }

    /// Ticks by which the audio thread plays planned notes after their time, or before it if negative. It is no part of the music.
    fn output_offset(&self) -> f64 {
        let offset_ms = self.controls.map_or(0, |controls| controls.output.latency_ms);
        f64::from(offset_ms) / 60_000.0 * self.tempo * TICKS_PER_QUARTER as f64
    }

    /// The first tick that notes can still be sent to, if the audio thread has reached this one.
    pub(super) fn in_time_from(&self, reached: Tick) -> Tick {
        reached + LEAD + self.early()
    }

    /// The next bar line that a note can still be sent to.
    pub(super) fn line_ahead(&self) -> Tick {
        let line = self.clock.next_bar_line();
        if line < self.in_time_from(self.reached) { self.clock.bar_at(line).map_or(line, |bar| bar.end()) } else { line }
    }
}

/// Notes in canonical order.
pub(super) fn in_order(notes: impl Iterator<Item = Note>) -> Vec<Note> {
    let mut notes: Vec<Note> = notes.collect();
    notes.sort_by_key(Note::order);
    notes
}
