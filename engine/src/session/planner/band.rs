//! Band: this instance publishes what its track plays, and hears the other instances.

use crate::codec::OwnRoles;
use crate::music::analysis::KeySignature;
use crate::music::{Note, Role, Tick};
use crate::plan::{PlannedRoles, PlayMode};
use crate::service::{Band, Part, Seat};

use super::super::listening::Listening;
use super::super::worker::Worker;
use super::Planner;
use crate::session::snapshot::BandStatus;
use crate::session::{BandControls, ControlValues, Hearing};

/// Interval in ticks at which the part is published: a quarter of the beat after which it counts.
const PUBLISHED_EVERY: i64 = 6;
/// Bars that are published. The others hear them at their next planning tick, four beats on at most.
const PUBLISHED_BARS: i64 = 4;

/// This instance's place in the band.
#[derive(Debug, Default)]
pub(super) struct BandLink {
    /// `None` outside of a band.
    seat: Option<Seat>,
    listening: Listening,
    /// Tick up to which the part was published; `None` while the transport stands.
    published: Option<Tick>,
}

impl BandLink {
    /// Whether nothing was heard since this tick.
    pub(super) fn is_silent_since(&self, tick: Tick, controls: BandControls) -> bool {
        controls.hearing == Hearing::Nothing || self.listening.is_silent_since(tick)
    }

    /// Notes that start before this are not needed any more.
    pub(super) fn forget_before(&mut self, start: Tick) {
        self.listening.forget_before(start);
    }

    /// Its status.
    pub(super) fn status(&self) -> Option<BandStatus> {
        let seat = self.seat.as_ref()?;
        Some(BandStatus { number: seat.number(), heard: self.listening.members.clone(), late: self.listening.late })
    }
}

impl<W: Worker> Planner<W> {
    /// The planner as a member of a band.
    #[must_use]
    pub fn in_band(self, band: &Band) -> Self {
        Self { band: BandLink { seat: band.join(), ..self.band }, ..self }
    }

    /// Publishes this instance's part, if it has gone on or stopped. Only the host's song is a place to meet.
    pub(super) fn publish_part(&mut self) {
        let Some(seat) = &self.band.seat else { return };
        let input = &self.input;
        let reached = input.clock.now();
        let rolls = input.running && input.follows_host;
        let is_due = |last: Tick| last.0.div_euclid(PUBLISHED_EVERY) != reached.0.div_euclid(PUBLISHED_EVERY);
        if self.band.published.map_or(rolls, |last| !rolls || is_due(last)) {
            let from = reached - Tick(PUBLISHED_BARS * input.clock.open_bar().metre.bar_length().0);
            let notes = input.player.notes().chain(input.sounded.notes()).filter(|note| note.end() > from && note.onset < reached);
            let (role, song) = (self.part_role(), rolls.then(|| input.clock.song_at(reached)));
            seat.publish(Part { role, reached, song, notes: notes.collect() });
            self.band.published = rolls.then_some(reached);
        }
    }

    /// Key that the others have played in lately.
    pub(super) fn heard_key(&self, controls: BandControls) -> Option<KeySignature> {
        self.band.listening.key(controls, &self.input.clock)
    }

    /// Role by which the others name this instance: the first that it plays by itself, otherwise its player's.
    fn part_role(&self) -> Role {
        let player = self.input.role();
        let planned =
            self.input.controls.filter(|controls| controls.plan.mode == PlayMode::Accompany).map(|controls| controls.planned(player));
        planned.and_then(|planned| planned.iter().next()).unwrap_or(player)
    }

    /// Hears the others up to a beat before this planning tick; returns their notes as given ones.
    pub(super) fn hear_others(&mut self, controls: &ControlValues, planned: PlannedRoles) -> Vec<Note> {
        let Some(seat) = self.band.seat.as_ref().filter(|_| controls.band.hearing != Hearing::Nothing && self.input.follows_host) else {
            self.band.listening.stop();
            return Vec::new();
        };
        self.band.listening.listen(&seat.others(), &self.input.clock, controls.band);
        let player = self.input.role();
        let is_players = |role: Role| role == player && controls.plan.mode != PlayMode::Accompany;
        let is_own = |role: Role| planned.iter().any(|own| own == role) || is_players(role);
        self.band.listening.notes(controls.band, &self.input.clock, is_own)
    }
}

/// Roles that are generated beside others: what Antiphon plays along with a player, or, with notes of other instances, what sounds on this track.
pub(super) fn own_roles(mode: PlayMode, planned: PlannedRoles, player: Role, hears: bool) -> OwnRoles {
    match mode {
        PlayMode::Accompany => OwnRoles::new(planned.iter()).unwrap_or_default(),
        _ if hears => OwnRoles::new(planned.iter().chain([player])).unwrap_or_default(),
        _ => OwnRoles::ALL,
    }
}
