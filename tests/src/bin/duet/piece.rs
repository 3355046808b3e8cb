//! Held-out pieces of two parts or more: the player's, and the one whose role is planned.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use antiphon_engine::music::{Bar, Note, Role, Tick, smf};
use anyhow::{Context, Result, ensure};

/// Fewest bars of a piece.
pub(crate) const LEAST_BARS: u32 = 24;
/// Fewest notes of a part, in each bar on average.
const LEAST_NOTES: usize = 1;

/// Two parts of a piece, from its first bar with a note on, in one metre.
#[derive(Debug, Clone)]
pub(crate) struct Duet {
    pub(crate) name: String,
    /// Quarters per minute.
    pub(crate) tempo: f64,
    /// From tick 0 on.
    pub(crate) bars: Vec<Bar>,
    /// The player's notes, in order of time, and their role.
    pub(crate) player: Vec<Note>,
    pub(crate) player_role: Role,
    /// The notes of the other part.
    pub(crate) real: Vec<Note>,
    pub(crate) own_role: Role,
}

/// Pieces of the valid split that have two parts: the first of each source, then the second of each, and so on.
pub(crate) fn choose(music: &Path, split: &Path, count: usize, bars: u32) -> Result<Vec<Duet>> {
    let list = std::fs::read_to_string(split).with_context(|| format!("{}: cannot be read", split.display()))?;
    let mut sources: BTreeMap<&str, VecDeque<&str>> = BTreeMap::new();
    for (path, source) in list.lines().filter_map(|line| line.strip_suffix(",valid")?.rsplit_once(',')) {
        sources.entry(source).or_default().push_back(path);
    }
    let mut duets = Vec::new();
    while duets.len() < count && !sources.is_empty() {
        for paths in sources.values_mut() {
            // The source's next piece that will do.
            duets.extend(std::iter::from_fn(|| paths.pop_front()).find_map(|path| read(music, path, bars)));
        }
        sources.retain(|_, paths| !paths.is_empty());
    }
    ensure!(
        !duets.is_empty(),
        "{}: no piece of the valid split in {} has two parts over {LEAST_BARS} bars",
        split.display(),
        music.display()
    );
    duets.truncate(count);
    Ok(duets)
}

/// A piece up to its first change of metre, at most so many bars of it.
fn read(music: &Path, path: &str, most: u32) -> Option<Duet> {
    let clip = smf::read_file(&music.join(path)).ok()?.clip;
    let first = clip.metres.bar_at(clip.first_onset()?);
    let end = clip.last_onset()?;
    let bars = (first.index..first.index.saturating_add(most)).map(|index| clip.metres.bar(index));
    let bars: Vec<Bar> = bars.take_while(|bar| bar.start <= end && bar.metre == first.metre).collect();
    let until = bars.last()?.end();
    let mut notes: Vec<Note> = clip.notes().into_iter().filter(|note| note.onset < until).collect();
    notes.iter_mut().for_each(|note| note.onset -= first.start);
    let bars: Vec<Bar> = (0..).zip(bars).map(|(index, bar)| Bar { index, start: bar.start - first.start, ..bar }).collect();
    let count = |role: Role| notes.iter().filter(|note| note.role == role).count();
    let is_enough = |role: &Role| *role != Role::Drums && count(*role) >= LEAST_NOTES * bars.len();
    let mut roles: Vec<Role> = Role::ALL.into_iter().filter(is_enough).collect();
    roles.sort_by_key(|role| std::cmp::Reverse(count(*role)));
    // A bass is what accompanies most often.
    let own_role = roles.iter().copied().find(|role| *role == Role::Bass).or(roles.get(1).copied())?;
    let player_role = roles.into_iter().find(|role| *role != own_role)?;
    let part = |role: Role| notes.iter().filter(|note| note.role == role).copied().collect::<Vec<_>>();
    let tempo = clip.tempos.at(first.start).bpm();
    let duet = Duet { name: path.to_owned(), tempo, player: part(player_role), real: part(own_role), player_role, own_role, bars };
    (duet.bars.len() >= LEAST_BARS as usize).then_some(duet)
}

impl Duet {
    /// The player's notes, transposed from a tick on.
    pub(crate) fn player_transposed(&self, change: Option<(Tick, i16)>) -> Vec<Note> {
        let Some((from, semitones)) = change else { return self.player.clone() };
        let transposed = |note: &Note| {
            let pitch = if note.onset < from { i16::from(note.pitch) } else { (i16::from(note.pitch) + semitones).clamp(0, 127) };
            Note { pitch: u8::try_from(pitch).unwrap_or(note.pitch), ..*note }
        };
        self.player.iter().map(transposed).collect()
    }

    /// Each bar of the real part in place of the one `back` bars after it.
    pub(crate) fn copied(&self, back: usize) -> Vec<Note> {
        let pairs = self.bars.iter().zip(self.bars.iter().skip(back));
        let copy = |(from, to): (&Bar, &Bar)| {
            let (from, to) = (*from, *to);
            let inside = self.real.iter().filter(move |note| (from.start..from.end()).contains(&note.onset));
            inside.map(move |note| Note { onset: to.start + (note.onset - from.start), ..*note })
        };
        pairs.flat_map(copy).collect()
    }
}
