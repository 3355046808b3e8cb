//! Report of a script: one fact per line, fields separated by tabs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::midi::Message;
use super::song::TrackNote;

/// Ardour's ticks per quarter.
pub(crate) const TICKS_PER_QUARTER: i64 = 1920;

/// A script's report.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Whether the script completed.
    pub(crate) is_complete: bool,
    /// Number of late plans and notes; if not 0, the machine was too busy.
    pub(crate) late: u64,
    /// Samples by which Ardour plays a track early, to compensate for device latency.
    pub(crate) early: i64,
    /// Antiphon's parameters by name, as text.
    pub(crate) parameters: BTreeMap<String, String>,
    /// Notes recorded on the second track, in order of time.
    pub(crate) notes: Vec<TrackNote>,
    /// Events, and how many samples each probe had processed then; the probe behind Antiphon first.
    pub(crate) marks: Vec<(String, [i64; 2])>,
    /// Messages seen by each probe, by its name.
    pub(crate) messages: BTreeMap<String, Vec<Message>>,
}

impl Report {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("the script wrote no {}", path.display()))?;
        let mut report = Self::default();
        for line in text.lines() {
            report.take(&line.split('\t').collect::<Vec<_>>()).with_context(|| format!("the script said {line:?}"))?;
        }
        report.notes.sort();
        Ok(report)
    }

    /// Messages seen by the probe behind Antiphon.
    pub(crate) fn sent(&self) -> &[Message] {
        &self.messages["sent"]
    }

    /// Messages seen by the probe behind Antiphon, split at an event.
    pub(crate) fn sent_around(&self, what: &str) -> (&[Message], &[Message]) {
        around(self.sent(), self.mark(what)[0])
    }

    /// Messages seen by the probe on the second track, split at an event.
    pub(crate) fn arrived_around(&self, what: &str) -> (&[Message], &[Message]) {
        around(&self.messages["arrived"], self.mark(what)[1])
    }

    fn mark(&self, what: &str) -> [i64; 2] {
        let mark = self.marks.iter().find(|(name, _)| name == what);
        mark.unwrap_or_else(|| panic!("the script never came to {what:?}; it did {:?}", self.marks)).1
    }

    fn take(&mut self, fields: &[&str]) -> Result<()> {
        match *fields {
            ["end"] => self.is_complete = true,
            ["early", samples] => self.early = samples.parse()?,
            ["parameter", name, value] => drop(self.parameters.insert(name.into(), value.into())),
            ["note", channel, key, velocity, start, length] => self.notes.push(TrackNote {
                start: ticks(start)?,
                channel: channel.parse()?,
                key: key.parse()?,
                velocity: velocity.parse()?,
                length: ticks(length)?,
            }),
            ["mark", what, sent, arrived] => self.marks.push((what.into(), [sent.parse()?, arrived.parse()?])),
            ["probe", name, _, _] => drop(self.messages.insert(name.into(), Vec::new())),
            ["message", name, processed, song, first, second, third] => {
                let message = Message {
                    processed: processed.parse()?,
                    song: song.parse::<i64>()? + self.early,
                    bytes: [first.parse()?, second.parse()?, third.parse()?],
                };
                self.messages.get_mut(name).context("no such probe")?.push(message);
            }
            _ => bail!("no fact is written so"),
        }
        Ok(())
    }
}

fn around(messages: &[Message], processed: i64) -> (&[Message], &[Message]) {
    messages.split_at(messages.partition_point(|message| message.processed < processed))
}

/// Parses Ardour's `quarters:ticks`.
fn ticks(text: &str) -> Result<i64> {
    let (quarters, ticks) = text.split_once(':').context("no quarters:ticks")?;
    Ok(quarters.parse::<i64>()? * TICKS_PER_QUARTER + ticks.parse::<i64>()?)
}
