//! Banks and programs of every channel, in whichever track they are chosen.

use crate::music::{Bank, Patch};

/// A controller or program change that chooses a sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// Controller 0.
    BankCoarse(u8),
    /// Controller 32.
    BankFine(u8),
    Program(u8),
}

#[derive(Debug, Clone, Copy)]
struct Chosen {
    file_tick: u64,
    /// Counted from 0.
    track: usize,
    port: u8,
    channel: u8,
    choice: Choice,
}

/// Every choice of a file, track after track.
#[derive(Debug, Default)]
pub(super) struct Patches(Vec<Chosen>);

impl Patches {
    pub(super) fn add(&mut self, track: usize, port: u8, channel: u8, file_tick: u64, choice: Choice) {
        self.0.push(Chosen { file_tick, track, port, channel, choice });
    }

    /// The programs that the notes of a channel in a track sound with, in order of time: those chosen in that track or, where it chooses none, in tracks that
    /// only set the channel up, and do not play on it. The bank is the one selected in either.
    pub(super) fn of(&self, track: usize, port: u8, channel: u8, plays: impl Fn(usize) -> bool) -> Vec<(u64, Patch)> {
        let counts = |of: usize| of == track || !plays(of);
        let here = |chosen: &&Chosen| (chosen.port, chosen.channel) == (port, channel) && counts(chosen.track);
        let mut choices: Vec<&Chosen> = self.0.iter().filter(here).collect();
        choices.sort_by_key(|chosen| chosen.file_tick);
        let mut bank = Bank::default();
        let mut patches = Vec::new();
        for chosen in choices {
            match chosen.choice {
                Choice::BankCoarse(value) => bank.coarse = Some(value),
                Choice::BankFine(value) => bank.fine = Some(value),
                Choice::Program(program) => patches.push((chosen.track, chosen.file_tick, Patch { bank, program })),
            }
        }
        let chooses = patches.iter().any(|&(of, ..)| of == track);
        patches.into_iter().filter(|&(of, ..)| !chooses || of == track).map(|(_, file_tick, patch)| (file_tick, patch)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_the_own_track_take_precedence() {
        let mut patches = Patches::default();
        patches.add(0, 0, 3, 0, Choice::BankCoarse(8));
        patches.add(0, 0, 3, 0, Choice::Program(40));
        patches.add(0, 1, 3, 0, Choice::Program(99));
        patches.add(2, 0, 3, 480, Choice::BankFine(2));
        patches.add(2, 0, 3, 480, Choice::Program(56));
        let patch = |coarse, fine, program| Patch { bank: Bank { coarse, fine }, program };
        let (set_up, own) = ((0, patch(Some(8), None, 40)), (480, patch(Some(8), Some(2), 56)));
        assert_eq!(patches.of(1, 0, 3, |_| false), [set_up, own], "a track that chooses nothing sounds as the channel is set up");
        assert_eq!(patches.of(1, 0, 3, |track| track == 2), [set_up], "but not as another player's track has it");
        assert_eq!(patches.of(2, 0, 3, |_| false), [own]);
        assert_eq!(patches.of(1, 1, 3, |_| false), [(0, patch(None, None, 99))], "another port is another instrument");
        assert_eq!(patches.of(1, 0, 4, |_| false), []);
    }
}
