//! What a script says: facts, a line each, fields separated by tabs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::midi::Message;
use super::song::Struck;

/// Ticks of a quarter, as Ardour counts them.
pub(crate) const TICKS_PER_QUARTER: i64 = 1920;

/// What a script said.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Whether the script came to its end.
    pub(crate) is_complete: bool,
    /// Plans and notes that were late: then the machine was too busy to show more.
    pub(crate) late: u64,
    /// Samples by which Ardour plays a track early, to make up for the delay of the devices.
    pub(crate) early: i64,
    /// Antiphon's parameters by name, as text.
    pub(crate) parameters: BTreeMap<String, String>,
    /// What the second track recorded, in order of time.
    pub(crate) notes: Vec<Struck>,
    /// What was done, and how many samples each probe had processed then, the one behind Antiphon first.
    pub(crate) marks: Vec<(String, [i64; 2])>,
    /// What each probe saw, by its name.
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

    /// What the probe behind Antiphon saw.
    pub(crate) fn sent(&self) -> &[Message] {
        &self.messages["sent"]
    }

    /// What the probe behind Antiphon saw until something was done, and from then on.
    pub(crate) fn sent_around(&self, what: &str) -> (&[Message], &[Message]) {
        around(self.sent(), self.mark(what)[0])
    }

    /// What the probe on the second track saw until something was done, and from then on.
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
            ["note", channel, key, velocity, start, length] => self.notes.push(Struck {
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

/// Ardour's `quarters:ticks`.
fn ticks(text: &str) -> Result<i64> {
    let (quarters, ticks) = text.split_once(':').context("no quarters:ticks")?;
    Ok(quarters.parse::<i64>()? * TICKS_PER_QUARTER + ticks.parse::<i64>()?)
}
