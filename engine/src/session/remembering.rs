//! Collects the player's phrases into the project's memory, and prepares the remembered ones for the workers.
//!
//! A phrase is made of consecutive whole bars in which the player started a note. It ends with a bar in which the player started none, after eight bars, and
//! where the transport stops or jumps. The phrases of a file that the player opens are learnt, too. A plan remembers the phrases of earlier sessions, and those that have left the context: the others are in it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::codec::{self, BarRows, Measured};
use crate::decode::{PromptBar, Remembered};
use crate::music::{Bar, Clip, Note, Tick};
use crate::plan::{Fingerprint, MusicalClock, Phrase, PlayerMemory};

use super::Archive;
use super::archive::edit_memory;

/// Most bars of a phrase: half a phase of the model.
const LONGEST: usize = 8;

/// Writer and reader of a session's memory.
pub(super) struct Remembering {
    archive: Arc<dyn Archive>,
    /// Bars of the phrase in progress.
    open: Vec<Bar>,
    /// Bars before this tick are done.
    done: Tick,
    /// End on the clock of each phrase that was learnt in this session.
    learnt: HashMap<Fingerprint, Tick>,
    /// Remembered phrases in the form of the model.
    encoded: HashMap<Fingerprint, Arc<Vec<PromptBar>>>,
    /// What the workers have.
    current: Remembered,
}

impl Remembering {
    pub(super) fn new(archive: Arc<dyn Archive>) -> Self {
        Self {
            archive,
            open: Vec::new(),
            done: Tick(i64::MIN),
            learnt: HashMap::new(),
            encoded: HashMap::new(),
            current: Remembered::default(),
        }
    }

    /// Learns the phrases that have ended by a planning tick. `player` are the player's notes so far, in order of time.
    pub(super) fn track(&mut self, clock: &MusicalClock, player: &[Note]) {
        let fresh: Vec<Bar> = clock.bars().filter(|bar| bar.start >= self.done && bar.end() <= clock.now()).collect();
        for bar in fresh {
            self.add(bar, player);
        }
    }

    /// Learns the phrase in progress, the open bar with it: the song does not go on from here.
    pub(super) fn end_phrase(&mut self, clock: &MusicalClock, player: &[Note]) {
        self.track(clock, player);
        let open = clock.open_bar();
        if open.start >= self.done && starts_in(player, open) {
            self.add(open, player);
            // The bar that begins here after a jump is another one.
            self.done = clock.now();
        }
        self.learn(player);
    }

    fn add(&mut self, bar: Bar, player: &[Note]) {
        self.done = bar.end();
        let is_whole = bar.length == bar.metre.bar_length();
        if !is_whole || !starts_in(player, bar) || self.open.last().is_some_and(|last| last.end() != bar.start) {
            self.learn(player);
        }
        if is_whole && starts_in(player, bar) {
            self.open.push(bar);
        }
        if self.open.len() == LONGEST {
            self.learn(player);
        }
    }

    fn learn(&mut self, player: &[Note]) {
        let bars = std::mem::take(&mut self.open);
        let Some(phrase) = Phrase::new(&bars, player) else { return };
        self.learnt.insert(phrase.fingerprint(), self.done);
        edit_memory(&*self.archive, |memory| memory.learn(phrase));
    }

    /// Learns the phrases of a clip that the player opened, as if they had been played before.
    pub(super) fn learn_clip(&self, clip: &Clip) {
        let notes = clip.notes();
        let mut phrases: Vec<Vec<Bar>> = vec![Vec::new()];
        for bar in clip.metres.bars(clip.end) {
            let has_room = phrases.last().is_some_and(|open| open.len() < LONGEST);
            match phrases.last_mut() {
                Some(open) if has_room && starts_in(&notes, bar) => open.push(bar),
                _ => phrases.push(if starts_in(&notes, bar) { vec![bar] } else { Vec::new() }),
            }
        }
        let phrases: Vec<Phrase> = phrases.iter().filter_map(|bars| Phrase::new(bars, &notes)).collect();
        edit_memory(&*self.archive, |memory| phrases.into_iter().for_each(|phrase| memory.learn(phrase)));
    }

    /// Forgets everything, or brings it back.
    pub(super) fn forget(&self) {
        edit_memory(&*self.archive, PlayerMemory::forget);
    }

    /// What a plan remembers, at this amount in percent; `start` is the first tick of the context. Returns it if it has changed.
    pub(super) fn update(&mut self, amount: u8, start: Option<Tick>) -> Option<Remembered> {
        let memory = self.archive.memory();
        self.learnt.retain(|learnt, _| memory.phrases().iter().any(|phrase| phrase.fingerprint() == *learnt));
        let is_past = |end: &Tick| start.is_some_and(|start| *end <= start);
        let used = memory.phrases().iter().filter(|phrase| self.learnt.get(&phrase.fingerprint()).is_none_or(is_past));
        let used: Vec<&Phrase> = if amount == 0 { Vec::new() } else { used.collect() };
        let phrases =
            used.iter().map(|phrase| Arc::clone(self.encoded.entry(phrase.fingerprint()).or_insert_with(|| encode(phrase)))).collect();
        let fresh = Remembered { phrases, amount };
        if fresh == self.current || (fresh.phrases.is_empty() && self.current.phrases.is_empty()) {
            return None;
        }
        let kept: Vec<Fingerprint> = used.iter().map(|phrase| phrase.fingerprint()).collect();
        self.encoded.retain(|fingerprint, _| kept.contains(fingerprint));
        self.current = fresh.clone();
        Some(fresh)
    }

    /// Forgets what the workers have: they were replaced.
    pub(super) fn send_again(&mut self) {
        self.current = Remembered::default();
    }

    /// Bars remembered, bars that Forget would bring back, and bars that plans use.
    pub(super) fn counts(&self) -> [usize; 3] {
        let memory = self.archive.memory();
        [memory.bars(), memory.forgotten_bars(), self.current.phrases.iter().map(|phrase| phrase.len()).sum()]
    }
}

fn starts_in(player: &[Note], bar: Bar) -> bool {
    player.iter().any(|note| (bar.start..bar.end()).contains(&note.onset))
}

/// A phrase as the model reads it, conditioned on its own notes.
fn encode(phrase: &Phrase) -> Arc<Vec<PromptBar>> {
    let mut bars: Vec<BarRows> = codec::encode(phrase.notes(), &phrase.bars(), None).bars;
    let measured: Vec<Measured> = bars.iter().map(Measured::of).collect();
    let labels = codec::labels(&bars.iter().zip(&measured).collect::<Vec<_>>());
    for ((index, bar), fields) in (0..).zip(&mut bars).zip(labels) {
        (bar.index, bar.fields) = (index, fields);
    }
    Arc::new(bars.into_iter().map(PromptBar::from).collect())
}
