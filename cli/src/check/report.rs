//! The report of `antiphon check`.

use std::fmt::{self, Write};
use std::path::Path;

use antiphon_engine::music::analysis::{Chord, KeySignature, PitchProfile, chords_of_bar, detect_key, keys_of_bars};
use antiphon_engine::music::{Bar, Clip, Note, Part, TICKS_PER_QUARTER, Tick, continuation, insertion, pitch_name, recent_roles, roles};
use serde::Serialize;

use antiphon_cli::phrase::RECENT_BARS;
use antiphon_engine::decode::Prompt;

/// Bars of chords on one line of the table.
const BARS_PER_LINE: usize = 8;

/// The result of the command. Its JSON keys are documented in the command's help and are kept.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    path: String,
    bars: u32,
    metres: Vec<Change<Metre>>,
    tempos: Vec<Change<Tempo>>,
    key: Option<String>,
    keys: Vec<Change<KeyName>>,
    parts: Vec<PartReport>,
    chords: Vec<ChordReport>,
    recent_roles: Vec<&'static str>,
    continues_at: Option<u32>,
    continues_in: Option<String>,
    repaired: Vec<String>,
}

/// Something that holds from a bar on.
#[derive(Debug, PartialEq, Serialize)]
struct Change<T> {
    /// Counted from 1.
    bar: u32,
    #[serde(flatten)]
    value: T,
}

#[derive(Debug, PartialEq, Serialize)]
struct Metre {
    metre: String,
}

#[derive(Debug, PartialEq, Serialize)]
struct Tempo {
    /// Quarter notes a minute, to the hundredth.
    bpm: f64,
}

#[derive(Debug, PartialEq, Serialize)]
struct KeyName {
    key: String,
}

/// One part. Channel and program are counted from 1.
#[derive(Debug, PartialEq, Serialize)]
struct PartReport {
    name: String,
    role: &'static str,
    channel: u8,
    program: Option<u8>,
    notes: usize,
    lowest: Option<u8>,
    highest: Option<u8>,
}

/// One chord, by its bar and the quarter it starts on, both counted from 1.
#[derive(Debug, PartialEq, Serialize)]
struct ChordReport {
    bar: u32,
    beat: i64,
    chord: String,
}

impl Report {
    pub(super) fn new(path: &Path, clip: &Clip, repaired: Vec<String>) -> Self {
        let bars: Vec<Bar> = (0..insertion::bars(clip)).map(|index| clip.metres.bar(index)).collect();
        let notes = clip.notes();
        let start = continuation::start(clip);
        let bar_of = |tick| clip.metres.bar_at(tick).index + 1;
        let metres = clip.metres.changes().iter().map(|(at, metre)| Change { bar: bar_of(*at), value: Metre { metre: metre.to_string() } });
        let bpm = |bpm: f64| (bpm * 100.0).round() / 100.0;
        let tempos = clip.tempos.changes().iter().map(|(at, tempo)| Change { bar: bar_of(*at), value: Tempo { bpm: bpm(tempo.bpm()) } });
        Self {
            path: path.display().to_string(),
            bars: insertion::bars(clip),
            metres: metres.collect(),
            tempos: tempos.collect(),
            key: detect_key(&notes).map(|key| key.to_string()),
            keys: keys(&notes, &bars),
            parts: parts(&clip.parts),
            chords: chords(&notes, &bars),
            recent_roles: start
                .map_or_else(Vec::new, |start| recent_roles(clip, start, RECENT_BARS))
                .iter()
                .map(|role| role.name())
                .collect(),
            continues_at: start.map(bar_of),
            continues_in: start.and_then(|start| key_after(clip, start)),
            repaired,
        }
    }

    /// In one line.
    pub(super) fn summary(&self) -> String {
        let metre = self.metres.first().map_or("", |change| &change.value.metre);
        let tempo = self.tempos.first().map_or(0.0, |change| change.value.bpm);
        let more = |count: usize| if count > 1 { " and others" } else { "" };
        let key = self.key.as_deref().unwrap_or("no clear key");
        let bars = if self.bars == 1 { "bar" } else { "bars" };
        format!("{} {bars} of {metre}{}, {tempo} BPM{}, {key}", self.bars, more(self.metres.len()), more(self.tempos.len()))
    }

    pub(super) fn table(&self) -> Result<String, fmt::Error> {
        let mut table = String::new();
        writeln!(table, "{}: {}", self.path, self.summary())?;
        changes(&mut table, "metres", &self.metres, |value| value.metre.clone())?;
        changes(&mut table, "tempi", &self.tempos, |value| value.bpm.to_string())?;
        changes(&mut table, "keys", &self.keys, |value| value.key.clone())?;
        self.table_of_parts(&mut table)?;
        self.table_of_chords(&mut table)?;
        match self.continues_at {
            Some(bar) => {
                let key = self.continues_in.as_ref().map(|key| format!(" in {key}")).unwrap_or_default();
                writeln!(table, "\ncontinues at bar {bar}{key} with {}", self.recent_roles.join(", "))?;
            }
            None => writeln!(table, "\nhas no notes, so nothing can be continued, filled or accompanied")?,
        }
        for repaired in &self.repaired {
            writeln!(table, "repaired: {repaired}")?;
        }
        Ok(table)
    }

    fn table_of_parts(&self, table: &mut String) -> fmt::Result {
        let width = self.parts.iter().map(|part| part.name.chars().count()).max().unwrap_or(0).max("part".len());
        writeln!(table, "\n{:width$}  {:11}  channel  program  notes  keys", "part", "role")?;
        for part in &self.parts {
            let PartReport { name, role, channel, program, notes, lowest, highest } = part;
            let program = program.map_or("-".into(), |program| program.to_string());
            let keys = lowest.zip(*highest).map_or("-".into(), |(low, high)| format!("{}-{}", pitch_name(low), pitch_name(high)));
            writeln!(table, "{name:width$}  {role:11}  {channel:>7}  {program:>9}  {notes:>5}  {keys}")?;
        }
        Ok(())
    }

    fn table_of_chords(&self, table: &mut String) -> fmt::Result {
        if self.chords.is_empty() {
            return Ok(());
        }
        writeln!(table, "\nchords")?;
        let in_bar = |bar: u32| {
            let chords: Vec<&str> = self.chords.iter().filter(|chord| chord.bar == bar).map(|chord| chord.chord.as_str()).collect();
            if chords.is_empty() { "-".to_owned() } else { chords.join(" ") }
        };
        let bars: Vec<u32> = (1..=self.bars).collect();
        for line in bars.chunks(BARS_PER_LINE) {
            let chords: Vec<String> = line.iter().map(|bar| in_bar(*bar)).collect();
            writeln!(table, "{:>5}  {}", line[0], chords.join(" | "))?;
        }
        Ok(())
    }
}

/// A line of changes, where there is more than one value.
fn changes<T>(table: &mut String, name: &str, changes: &[Change<T>], value: impl Fn(&T) -> String) -> fmt::Result {
    if changes.len() < 2 {
        return Ok(());
    }
    let changes: Vec<String> = changes.iter().map(|change| format!("{} from bar {}", value(&change.value), change.bar)).collect();
    writeln!(table, "{name}: {}", changes.join(", "))
}

/// The key that `continue` would go on in.
fn key_after(clip: &Clip, start: Tick) -> Option<String> {
    Prompt::continuation(&continuation::context(clip, start, RECENT_BARS), start, 1, None).key().map(|key| key.to_string())
}

/// Where the key changes.
fn keys(notes: &[Note], bars: &[Bar]) -> Vec<Change<KeyName>> {
    let profile = |bar: &Bar| PitchProfile::new(notes.iter().filter(|note| (bar.start..bar.end()).contains(&note.onset)));
    let profiles: Vec<PitchProfile> = bars.iter().map(profile).collect();
    let mut keys: Vec<(u32, KeySignature)> = Vec::new();
    for (bar, key) in bars.iter().zip(keys_of_bars(&profiles)).filter_map(|(bar, key)| Some((bar, key?))) {
        if keys.last().is_none_or(|(_, last)| *last != key) {
            keys.push((bar.index + 1, key));
        }
    }
    keys.into_iter().map(|(bar, key)| Change { bar, value: KeyName { key: key.to_string() } }).collect()
}

fn parts(parts: &[Part]) -> Vec<PartReport> {
    let by_name = roles::of(parts);
    let report = |(part, role): (&Part, _)| PartReport {
        name: part.name.clone(),
        role: part.notes.first().map_or(role, |note| note.role).name(),
        channel: part.channel + 1,
        program: part.program.map(|program| program + 1),
        notes: part.notes.len(),
        lowest: part.notes.iter().map(|note| note.pitch).min(),
        highest: part.notes.iter().map(|note| note.pitch).max(),
    };
    parts.iter().zip(by_name).map(report).collect()
}

fn chords(notes: &[Note], bars: &[Bar]) -> Vec<ChordReport> {
    let of_bar = |bar: &Bar| {
        let sounding: Vec<Note> = notes.iter().filter(|note| note.onset < bar.end() && note.end() > bar.start).copied().collect();
        let index = bar.index + 1;
        let chord =
            move |(at, chord): (Tick, Chord)| ChordReport { bar: index, beat: at.0 / TICKS_PER_QUARTER + 1, chord: chord.to_string() };
        chords_of_bar(&sounding, bar).into_iter().map(chord).collect::<Vec<_>>()
    };
    bars.iter().flat_map(of_bar).collect()
}

#[cfg(test)]
mod tests {
    use antiphon_engine::music::{MetreMap, Role, Tempo as Speed, TempoMap};

    use super::*;

    fn note(onset: i64, duration: i64, pitch: u8, role: Role) -> Note {
        Note { onset: Tick(onset), offset: 0, duration: Tick(duration), pitch, velocity: 80, role }
    }

    /// Two bars of 4/4 and two of 3/4: a cadence by keys on channel 2 and a beat on channel 1.
    fn clip() -> Clip {
        let chord = |onset: i64, length: i64, pitches: [u8; 3]| pitches.map(|pitch| note(onset, length, pitch, Role::Keys));
        let keys =
            [chord(0, 96, [60, 64, 67]), chord(96, 48, [60, 65, 69]), chord(144, 48, [59, 62, 67]), chord(192, 144, [60, 64, 67])].concat();
        Clip {
            parts: vec![
                Part { name: "Keys".into(), channel: 1, program: Some(4), notes: keys, ..Part::default() },
                Part { name: "Beat".into(), notes: vec![note(0, 6, 36, Role::Drums)], ..Part::default() },
                Part { name: "Bass".into(), channel: 2, ..Part::default() },
            ],
            metres: MetreMap::new([(Tick(192), antiphon_engine::music::Metre::new(3, 4).unwrap())]),
            tempos: TempoMap::new([(Tick::ZERO, Speed::from_bpm(96.0).unwrap())]),
            end: Tick(336),
        }
    }

    #[test]
    fn table_of_a_clip_shows_bars_parts_and_chords() {
        let table = Report::new(Path::new("a.mid"), &clip(), vec!["doubled notes, the longest kept: 2".into()]).table().unwrap();
        let expected = "\
a.mid: 4 bars of 4/4 and others, 96 BPM, C major
metres: 4/4 from bar 1, 3/4 from bar 3

part  role         channel  program  notes  keys
Keys  keys               2          5     12  B3-A4
Beat  drums              1          -      1  C2-C2
Bass  bass               3          -      0  -

chords
    1  C | F G | C | C

continues at bar 5 in C major with drums, keys
repaired: doubled notes, the longest kept: 2
";
        assert_eq!(table, expected);
    }

    #[test]
    fn json_of_a_report_keeps_its_keys() {
        let json = serde_json::to_value(Report::new(Path::new("a.mid"), &clip(), Vec::new())).unwrap();
        assert_eq!(json["metres"], serde_json::json!([{"bar": 1, "metre": "4/4"}, {"bar": 3, "metre": "3/4"}]));
        assert_eq!(json["tempos"], serde_json::json!([{"bar": 1, "bpm": 96.0}]));
        assert_eq!(json["chords"][2], serde_json::json!({"bar": 2, "beat": 3, "chord": "G"}));
        assert_eq!(json["parts"][1]["role"], "drums");
        assert_eq!((&json["continues_at"], &json["continues_in"]), (&5.into(), &"C major".into()));
        assert_eq!((&json["bars"], &json["key"]), (&4.into(), &"C major".into()));
        for key in ["path", "keys", "recent_roles", "repaired"] {
            assert!(!json[key].is_null(), "{key}");
        }
    }

    #[test]
    fn table_of_a_file_without_notes_states_it() {
        let table = Report::new(Path::new("a.mid"), &Clip::default(), Vec::new()).table().unwrap();
        assert!(table.contains("0 bars") && table.contains("no clear key") && table.contains("has no notes"), "{table}");
    }
}
