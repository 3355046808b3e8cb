//! A finished bar of the context.

use std::sync::Arc;

use crate::codec::{self, BarRows, Measured};
use crate::decode::PromptBar;
use crate::music::analysis::BarHarmony;
use crate::music::{Bar, Metre, Note, Tick};
use crate::plan::{Fingerprint, PageStats};

use super::super::as_planned::{AsPlanned, came_as_planned};
use super::inside;

/// A finished bar. Encoded when it ends, and again when the length of one of its notes changes.
#[derive(Debug, Clone)]
pub(super) struct Closed {
    pub(super) line: Tick,
    pub(super) length: Tick,
    /// Its rows. Their conditioning is measured, and stays what it was when the bar ended.
    pub(super) rows: Arc<PromptBar>,
    /// Its rows as the worker reads them: if it came as planned, those of the plan.
    pub(super) sent: Arc<PromptBar>,
    pub(super) measured: Measured,
    /// Key and chords, as they were when the bar ended.
    pub(super) harmony: BarHarmony,
    /// Fingerprint of the notes it was encoded from.
    pub(super) revision: Fingerprint,
}

impl Closed {
    /// Encodes the bar again if its notes have changed; returns whether the rows that the worker reads have.
    pub(super) fn update(&mut self, notes: &[Note], counts: &mut PageStats) -> bool {
        let inside = inside(notes, self.line, self.line + self.length);
        let revision = Fingerprint::of(inside);
        if revision == self.revision {
            return false;
        }
        // The metre is in the bar's fields already.
        let bar = Bar { index: 0, start: self.line, length: self.length, metre: Metre::COMMON };
        let Some(encoded) = codec::encode(inside, &[bar], None).bars.pop() else { return false };
        let BarRows { index, fields, .. } = self.rows.bar;
        let rows = BarRows { index, fields, ..encoded };
        self.revision = revision;
        self.measured = Measured::of(&rows);
        let was_as_planned = self.is_as_planned();
        self.rows = Arc::new(rows.into());
        if was_as_planned && came_as_planned(&self.sent, self.line, notes) {
            return false;
        }
        counts.as_planned -= u64::from(was_as_planned);
        let before = std::mem::replace(&mut self.sent, Arc::clone(&self.rows));
        before != self.sent
    }

    /// Sends the rows of the plan, if the bar came as planned.
    pub(super) fn send_as_planned(&mut self, planned: &AsPlanned, notes: &[Note]) {
        let planned = planned.rows(self.line, self.length, notes);
        self.sent = planned.map_or_else(
            || Arc::clone(&self.rows),
            |planned| {
                let PromptBar { bar, given } = PromptBar::clone(&planned);
                Arc::new(PromptBar { bar: BarRows { index: self.rows.bar.index, ..bar }, given })
            },
        );
    }

    /// Whether the worker reads the rows of a plan.
    pub(super) fn is_as_planned(&self) -> bool {
        !Arc::ptr_eq(&self.sent, &self.rows)
    }

    /// Whether no note starts in it.
    pub(super) fn is_silent(&self) -> bool {
        self.rows.bar.notes.is_empty()
    }
}
