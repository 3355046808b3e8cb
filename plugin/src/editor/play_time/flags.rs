//! Marks at the bar numbers: where Antiphon starts and ends, and where another variation takes over.

use antiphon_engine::music::Tick;
use antiphon_engine::plan::{PlayMode, Variation};

use super::PlayTime;
use crate::clock::Motion;

/// What begins where a phrase of Antiphon ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::editor) enum After {
    /// Nothing.
    Silence,
    /// The player's turn.
    You,
    /// More of Antiphon, which is not planned yet.
    More,
}

/// Where in the ruler Antiphon starts and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::editor) struct Flags {
    /// Bar line of its first note to sound, with the word that stands there.
    pub(in crate::editor) starts: Option<(Tick, &'static str)>,
    /// Where another variation takes over from the phrase that plays.
    pub(in crate::editor) swap: Option<(Tick, Variation)>,
    /// The tick after its last one, and what follows.
    pub(in crate::editor) ends: Option<(Tick, After)>,
    /// Planned notes before this tick will not sound.
    pub(in crate::editor) silent_before: Option<Tick>,
    /// Whether the plan sounds without anything more: it was started, or its mode starts it.
    pub(in crate::editor) is_lit: bool,
}

impl PlayTime<'_> {
    /// What the ruler shows.
    pub(in crate::editor) fn flags(&self) -> Flags {
        let starts_itself = matches!(self.mode(), PlayMode::Trade | PlayMode::Accompany | PlayMode::Infill) && !self.snapshot.is_stopped;
        let is_lit = self.is_playing() || self.is_pending() || starts_itself && !self.is_recalled;
        Flags { is_lit, ..self.places() }
    }

    fn places(&self) -> Flags {
        let Some(shown) = &self.snapshot.plan else { return Flags::default() };
        if self.now.motion == Motion::Stopped {
            return Flags::default();
        }
        let begins = shown.plan.brief.start;
        let after = match self.mode() {
            PlayMode::Trade => After::You,
            PlayMode::Accompany => After::More,
            PlayMode::Suggest | PlayMode::Answer | PlayMode::Infill => After::Silence,
        };
        let ends = (shown.plan.brief.end, after);
        if shown.playing {
            let from = shown.sounds_from;
            let starts = self.is_ahead(from).then_some((from, "starts"));
            let swap = self.swap();
            // Where the one ends that takes over is not known before it is being made. The band says where a fill ends.
            let has_end = self.mode() != PlayMode::Infill && swap.is_none_or(|swap| swap.plan.is_some());
            let swap = swap.map(|swap| (swap.at, swap.to));
            return Flags {
                starts,
                swap,
                ends: has_end.then_some(ends),
                silent_before: (from > begins).then_some(from),
                ..Flags::default()
            };
        }
        match self.mode() {
            // It stays as it is, so its end is known, too.
            _ if self.is_recalled => {
                let word = if self.is_pending() { "starts" } else { "Play" };
                Flags { starts: Some((begins, word)), ends: Some((ends.0, After::Silence)), ..Flags::default() }
            }
            PlayMode::Suggest => {
                let line = self.begins_at().unwrap_or_else(|| self.next_bar());
                let word = if self.is_pending() { "starts" } else { "Play" };
                let ends = self.is_pending().then_some(ends);
                Flags { starts: Some((line, word)), silent_before: Some(line), ends, ..Flags::default() }
            }
            PlayMode::Trade => Flags { starts: Some((begins, "starts")), ends: Some(ends), ..Flags::default() },
            PlayMode::Answer | PlayMode::Accompany | PlayMode::Infill => Flags::default(),
        }
    }
}
