//! Remembered phrases: each is read once, and its memory entries are kept while it is remembered.

use std::sync::Arc;

use crate::decode::{DecodeError, Decoder, Entries, Prefill, PromptBar, Remembered};

/// Phrases read so far, and the one in progress: reading continues where another job left off.
#[derive(Debug, Default)]
pub(super) struct ReadPhrases {
    /// With the entries of each.
    read: Vec<(Arc<Vec<PromptBar>>, Entries)>,
    /// A phrase of which some bars are read.
    reading: Option<(Arc<Vec<PromptBar>>, Decoder)>,
    /// What the decoder has.
    set: Remembered,
}

impl ReadPhrases {
    /// The decoder was replaced, and has no entries.
    pub(super) fn set_again(&mut self) {
        self.set = Remembered::default();
    }

    /// Reads one bar of the phrases that are not read; when all are, gives their entries to `decoder`. They take effect with its next bar. `fresh` makes a decoder.
    pub(super) fn step(
        &mut self,
        remembered: &Remembered,
        decoder: &mut Decoder,
        fresh: impl FnOnce() -> Result<Decoder, DecodeError>,
    ) -> Result<Prefill, DecodeError> {
        if is_same(&self.set, remembered) {
            return Ok(Prefill::Done);
        }
        self.read.retain(|(phrase, _)| remembered.phrases.iter().any(|wanted| Arc::ptr_eq(wanted, phrase)));
        let missing = remembered.phrases.iter().find(|wanted| self.entries(wanted).is_none());
        let Some(phrase) = missing else {
            let all = remembered.phrases.iter().filter_map(|phrase| self.entries(phrase));
            decoder.set_earlier(Arc::new(all.cloned().fold(Entries::default(), Entries::followed_by)), remembered.nearer());
            self.set = remembered.clone();
            return Ok(Prefill::Done);
        };
        // After an error the phrase is read from its start.
        let (phrase, mut reader) = match self.reading.take().filter(|(reading, _)| Arc::ptr_eq(reading, phrase)) {
            Some(reading) => reading,
            None => (Arc::clone(phrase), fresh()?),
        };
        if let Some(bar) = usize::try_from(reader.bar()).ok().and_then(|index| phrase.get(index)) {
            reader.append_bar(&bar.bar)?;
            self.reading = Some((phrase, reader));
        } else {
            self.read.push((phrase, reader.memory_entries()));
        }
        Ok(Prefill::Nearer)
    }

    fn entries(&self, phrase: &Arc<Vec<PromptBar>>) -> Option<&Entries> {
        self.read.iter().find(|(read, _)| Arc::ptr_eq(read, phrase)).map(|(_, entries)| entries)
    }
}

/// Whether two have the same phrases and weight.
fn is_same(one: &Remembered, other: &Remembered) -> bool {
    one.phrases.len() == other.phrases.len()
        && (one.phrases.is_empty() || one.amount == other.amount)
        && one.phrases.iter().zip(&other.phrases).all(|(one, other)| Arc::ptr_eq(one, other))
}
