//! Role of each part, from its channel, program, track name, keys, and place in the score.

mod kit;

use super::{DRUM_CHANNEL, Part, Role};

/// Kind of a part by itself. Its role depends on the others too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its role, independent of the others.
    Plays(Role),
    /// The track is named melody.
    Tune,
    /// A singer, by name.
    Voice,
    /// Voices by program alone: a singer, or in a band a choir sound.
    Choir,
    Violin,
    /// Piano or another keyboard, one of two hands perhaps.
    Keyboard,
}

/// Words that name a role, matched from the start of a word. They take precedence over the program; the first match from the top wins.
const ROLE_WORDS: &[(&str, Kind)] = &[
    ("bridge", Kind::Plays(Role::Lead)),
    ("counter", Kind::Plays(Role::Lead)),
    ("melod", Kind::Tune),
    ("pad", Kind::Plays(Role::Pad)),
    ("lead", Kind::Plays(Role::Lead)),
    ("arp", Kind::Plays(Role::Arp)),
    ("chord", Kind::Plays(Role::Chords)),
    ("voice", Kind::Voice),
    ("vocal", Kind::Voice),
    ("voix", Kind::Voice),
    ("voce", Kind::Voice),
    ("voci", Kind::Voice),
    ("singst", Kind::Voice),
    ("gesang", Kind::Voice),
    ("głos", Kind::Voice),
    ("śpiew", Kind::Voice),
];

/// Whole words that name a drum kit.
const KIT_WORDS: &[&str] =
    &["drums", "drumset", "drumkit", "drumbeat", "drummer", "percussion", "perc", "kit", "schlagzeug", "batterie", "batteria", "perkusja"];

/// Of two words in succession the second, after "drum".
const AFTER_DRUM: &[&str] = &["kit", "set", "machine", "loop", "beat", "track"];

/// General MIDI programs (counted from 0) of pitched percussion: celesta to dulcimer, timpani, and agogo to taiko and tom.
const PITCHED_PERCUSSION_PROGRAMS: [u8; 14] = [8, 9, 10, 11, 12, 13, 14, 15, 47, 108, 113, 114, 116, 117];

/// Beginnings of words that name pitched percussion: no kit, even with other words in the name.
const PITCHED_PERCUSSION: &[&str] = &["steel", "timp", "mallet", "melodic", "tuned", "pitched"];

/// Words that name an instrument or a voice, matched from the start of a word; used if the program is undecided. English, Italian, Latin, German
/// and Polish as scores have them. Longer words come before their own beginnings.
const INSTRUMENT_WORDS: &[(&str, Kind)] = &[
    ("bassoon", Kind::Plays(Role::Winds)),
    ("basson", Kind::Plays(Role::Winds)),
    ("fag", Kind::Plays(Role::Winds)),
    ("flut", Kind::Plays(Role::Winds)),
    ("flaut", Kind::Plays(Role::Winds)),
    ("picc", Kind::Plays(Role::Winds)),
    ("obo", Kind::Plays(Role::Winds)),
    ("clarinet", Kind::Plays(Role::Winds)),
    ("klarinet", Kind::Plays(Role::Winds)),
    ("sax", Kind::Plays(Role::Winds)),
    ("recorder", Kind::Plays(Role::Winds)),
    ("clarin", Kind::Plays(Role::Brass)),
    ("trump", Kind::Plays(Role::Brass)),
    ("tromp", Kind::Plays(Role::Brass)),
    ("tromb", Kind::Plays(Role::Brass)),
    ("horn", Kind::Plays(Role::Brass)),
    ("corn", Kind::Plays(Role::Brass)),
    ("tuba", Kind::Plays(Role::Brass)),
    ("brass", Kind::Plays(Role::Brass)),
    ("violonc", Kind::Plays(Role::LowStrings)),
    ("cello", Kind::Plays(Role::LowStrings)),
    ("violin", Kind::Violin),
    ("fiddle", Kind::Violin),
    ("viol", Kind::Plays(Role::LowStrings)),
    ("string", Kind::Plays(Role::Strings)),
    ("organ", Kind::Plays(Role::Organ)),
    ("accord", Kind::Plays(Role::Organ)),
    ("guitar", Kind::Plays(Role::Guitar)),
    ("gitar", Kind::Plays(Role::Guitar)),
    ("piano", Kind::Keyboard),
    ("fortep", Kind::Keyboard),
    ("key", Kind::Keyboard),
    ("canto", Kind::Voice),
    ("cant", Kind::Voice),
    ("discant", Kind::Voice),
    ("chant", Kind::Voice),
    ("sopran", Kind::Voice),
    ("alt", Kind::Voice),
    ("tenor", Kind::Voice),
    ("drum", Kind::Plays(Role::Other)),
    ("tambour", Kind::Plays(Role::Other)),
    ("triang", Kind::Plays(Role::Other)),
    ("bas", Kind::Plays(Role::Bass)),
    ("contrab", Kind::Plays(Role::Bass)),
    ("fundam", Kind::Plays(Role::Bass)),
    ("fondam", Kind::Plays(Role::Bass)),
    ("synth", Kind::Plays(Role::Lead)),
];

/// Roles of an ensemble's parts, in their order.
///
/// * Drums are parts on channel 10, parts named drums or a kit, and, without a program or a name to the contrary, parts on any channel that strike the keys
///   of a drum kit as a drummer does.
/// * Words for a role in the track name come first, then the program, then words for an instrument. Program 0 and no program decide nothing:
///   many files have no other. A part without any of these is a keyboard, as in General MIDI.
/// * Of parts named melody and singers the first is the melody, the second a lead, the others pad (choir sound). One that is named bass, or the
///   last of four and more where none is, sings the bass. In a band, which is an ensemble with drums, voices without such a name are pad.
/// * Without voices, the first violin is the melody. Other violins are strings, viola and cello low strings, the contrabass is bass.
/// * Keyboard parts that follow each other in the score are the two hands of one player: keys, and the lower of the two the left hand.
#[must_use]
pub fn of(parts: &[Part]) -> Vec<Role> {
    let kinds = kinds(parts);
    let mut roles: Vec<_> = kinds.iter().map(|kind| if let Kind::Plays(role) = kind { *role } else { Role::Other }).collect();
    let singers = singers(&kinds);
    for (rank, &index) in singers.iter().enumerate() {
        let bass = singers.len() > 1 && is_bass(&parts[index].name);
        let lowest = rank >= 3 && rank + 1 == singers.len() && !singers.iter().any(|&other| is_bass(&parts[other].name));
        roles[index] = match rank {
            _ if bass || lowest => Role::Bass,
            0 => Role::Melody,
            1 => Role::Lead,
            _ => Role::Pad,
        };
    }
    let violins = indices(&kinds, Kind::Violin);
    for (rank, &index) in violins.iter().enumerate() {
        roles[index] = if rank == 0 && singers.is_empty() { Role::Melody } else { Role::Strings };
    }
    let keyboards = indices(&kinds, Kind::Keyboard);
    let mut rest = keyboards.as_slice();
    while let Some((&first, others)) = rest.split_first() {
        roles[first] = Role::Keys;
        rest = others;
        if let Some((&second, others)) = others.split_first().filter(|(second, _)| **second == first + 1) {
            let crossed = parts[second].mean_pitch() > parts[first].mean_pitch();
            roles[first] = if crossed { Role::LeftHand } else { Role::Keys };
            roles[second] = if crossed { Role::Keys } else { Role::LeftHand };
            rest = others;
        }
    }
    roles
}

/// Gives every note its part's role, and restores the canonical order, which depends on it.
pub fn assign(parts: &mut [Part]) {
    for (role, part) in of(parts).into_iter().zip(parts) {
        for note in &mut part.notes {
            note.role = role;
        }
        part.notes.sort_by_key(super::Note::order);
    }
}

/// Gives the parts of this name a role, independent of their other properties, and restores the canonical order. Capitals do not count. Returns the number of such parts.
pub fn rename(parts: &mut [Part], name: &str, role: Role) -> usize {
    let wanted = name.trim().to_lowercase();
    let mut renamed = 0;
    for part in parts.iter_mut().filter(|part| part.name.trim().to_lowercase() == wanted) {
        part.notes.iter_mut().for_each(|note| note.role = role);
        part.notes.sort_by_key(super::Note::order);
        renamed += 1;
    }
    renamed
}

fn kinds(parts: &[Part]) -> Vec<Kind> {
    let kinds: Vec<Kind> = parts.iter().map(kind).collect();
    let band = kinds.contains(&Kind::Plays(Role::Drums));
    let settle = |kind| match kind {
        Kind::Choir if band => Kind::Plays(Role::Pad),
        Kind::Choir => Kind::Voice,
        other => other,
    };
    kinds.into_iter().map(settle).collect()
}

/// Parts that sing, in the order in which they claim the melody: those named so, then the voices.
fn singers(kinds: &[Kind]) -> Vec<usize> {
    [indices(kinds, Kind::Tune), indices(kinds, Kind::Voice)].concat()
}

fn indices(kinds: &[Kind], wanted: Kind) -> Vec<usize> {
    (0..kinds.len()).filter(|&index| kinds[index] == wanted).collect()
}

fn kind(part: &Part) -> Kind {
    if part.channel == DRUM_CHANNEL || names_a_kit(part) {
        return Kind::Plays(Role::Drums);
    }
    let by_role = find(&part.name, ROLE_WORDS);
    let by_program = || part.program.filter(|&program| program > 0).map(kind_of_program);
    let by_instrument = || find(&part.name, INSTRUMENT_WORDS);
    let by_keys = || kit::is_played_by(part).then_some(Kind::Plays(Role::Drums));
    by_role.or_else(by_program).or_else(by_instrument).or_else(by_keys).unwrap_or(Kind::Keyboard)
}

/// Whether a part is called drums, and neither its program nor another word of its name marks them as pitched.
fn names_a_kit(part: &Part) -> bool {
    let words = words(&part.name);
    let is_kit = words.iter().any(|word| KIT_WORDS.contains(&word.as_str()))
        || words.windows(2).any(|pair| pair[0] == "drum" && AFTER_DRUM.contains(&pair[1].as_str()));
    let is_pitched = words.iter().any(|word| PITCHED_PERCUSSION.iter().any(|stem| word.starts_with(stem)))
        || part.program.is_some_and(|program| PITCHED_PERCUSSION_PROGRAMS.contains(&program));
    is_kit && !is_pitched
}

/// Kind of a General MIDI program (counted from 0).
fn kind_of_program(program: u8) -> Kind {
    match program {
        0..=7 => Kind::Keyboard,
        16..=23 => Kind::Plays(Role::Organ),
        24..=31 | 104..=107 => Kind::Plays(Role::Guitar),
        32..=39 | 43 => Kind::Plays(Role::Bass),
        40 | 110 => Kind::Violin,
        41 | 42 => Kind::Plays(Role::LowStrings),
        44 | 45 | 48..=51 => Kind::Plays(Role::Strings),
        46 => Kind::Plays(Role::Arp),
        52..=54 => Kind::Choir,
        56..=63 => Kind::Plays(Role::Brass),
        64..=79 | 109 | 111 => Kind::Plays(Role::Winds),
        80..=87 => Kind::Plays(Role::Lead),
        88..=95 => Kind::Plays(Role::Pad),
        _ => Kind::Plays(Role::Other),
    }
}

fn find(name: &str, table: &[(&str, Kind)]) -> Option<Kind> {
    let words = words(name);
    table.iter().find(|(stem, _)| words.iter().any(|word| word.starts_with(stem))).map(|&(_, kind)| kind)
}

fn is_bass(name: &str) -> bool {
    words(name).iter().any(|word| word.starts_with("bas"))
}

/// The words of a name in lower case, the long s of old prints made a common one.
fn words(name: &str) -> Vec<String> {
    let name = name.to_lowercase().replace('ſ', "s");
    name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Note, Tick};
    use super::*;

    /// Parts as (name, program, pitch of their one note), all off the drum channel.
    fn roles(parts: &[(&str, Option<u8>, u8)]) -> Vec<Role> {
        of(&parts.iter().map(|&(name, program, pitch)| part(name, program, pitch)).collect::<Vec<_>>())
    }

    fn part(name: &str, program: Option<u8>, pitch: u8) -> Part {
        let note = Note { onset: Tick::ZERO, offset: 0, duration: Tick(24), pitch, velocity: 80, role: Role::Other };
        Part { name: name.into(), program, notes: vec![note], ..Part::default() }
    }

    #[test]
    fn lead_sheet_with_piano_has_melody_lead_and_keys() {
        let parts = [("MELODY", Some(0), 72), ("Bridge (sub-melody)", Some(0), 67), ("PIANO", Some(0), 55)];
        assert_eq!(roles(&parts), [Role::Melody, Role::Lead, Role::Keys]);
    }

    #[test]
    fn song_has_a_singer_and_two_hands() {
        let parts = [("Voice", Some(52), 70), ("Piano", Some(0), 66), ("Piano", Some(0), 45)];
        assert_eq!(roles(&parts), [Role::Melody, Role::Keys, Role::LeftHand]);
        let crossed = [("Piano", Some(0), 45), ("Piano", Some(0), 66)];
        assert_eq!(roles(&crossed), [Role::LeftHand, Role::Keys]);
        assert_eq!(roles(&[("", Some(0), 60), ("", Some(40), 70), ("", Some(0), 50)]), [Role::Keys, Role::Melody, Role::Keys]);
        assert_eq!(roles(&[("Bass", Some(52), 50), ("", Some(0), 60)]), [Role::Melody, Role::Keys]);
    }

    #[test]
    fn choir_has_a_melody_a_bass_and_parts_between() {
        let named = [("CANTVS.", Some(52), 72), ("Baſsus", Some(0), 48), ("Altus", Some(52), 65), ("Tenore", Some(52), 58)];
        assert_eq!(roles(&named), [Role::Melody, Role::Bass, Role::Lead, Role::Pad]);
        let hymn = [("Hymn voice", Some(19), 72), ("Hymn voice", Some(19), 65), ("Hymn voice", Some(19), 58), ("Hymn voice", Some(19), 48)];
        assert_eq!(roles(&hymn), [Role::Melody, Role::Lead, Role::Pad, Role::Bass]);
    }

    #[test]
    fn first_violin_of_a_quartet_is_the_melody_unless_there_is_a_voice() {
        let quartet = [("Violin 1", Some(40), 76), ("Violin 2", Some(40), 70), ("Viola", Some(41), 62), ("Violoncello", Some(42), 50)];
        assert_eq!(roles(&quartet), [Role::Melody, Role::Strings, Role::LowStrings, Role::LowStrings]);
        let unset = quartet.map(|(name, _, pitch)| (name, None, pitch));
        assert_eq!(roles(&unset), roles(&quartet));
        assert_eq!(roles(&[("", Some(40), 76), ("Canto", None, 70), ("Basso", Some(43), 40)]), [Role::Strings, Role::Melody, Role::Bass]);
    }

    #[test]
    fn ensemble_with_drums_is_a_band() {
        let mut parts =
            [part("", Some(52), 60), part("Bass", None, 40), part("Distortion Guitar", Some(30), 50), part("Beat", Some(118), 36)];
        assert_eq!(of(&parts)[0], Role::Melody);
        parts[3].channel = DRUM_CHANNEL;
        assert_eq!(of(&parts), [Role::Pad, Role::Bass, Role::Guitar, Role::Drums]);
    }

    #[test]
    fn parts_named_drums_are_drums_on_any_channel() {
        for name in ["Drums", "DRUM KIT", "Live drums 2", "Percussion", "Drum-Machine"] {
            assert_eq!(roles(&[(name, Some(0), 36)]), [Role::Drums], "{name}");
        }
        for (name, program) in
            [("Steel drums", None), ("Drums", Some(114)), ("Bass Drum", None), ("Tambour", None), ("Timpani, percussion", None)]
        {
            assert_ne!(roles(&[(name, program, 50)]), [Role::Drums], "{name}");
        }
    }

    #[test]
    fn keys_of_a_kit_make_drums_unless_name_or_program_decide() {
        let played = |name: &str, program| {
            let strike = |(index, pitch): (i64, u8)| Note { onset: Tick(12 * (index / 2)), pitch, ..part("", None, 36).notes[0] };
            let notes = (0..).zip([36, 42, 42, 46, 38, 42, 42, 44].repeat(4)).map(strike).collect();
            of(&[Part { notes, ..part(name, program, 36) }])
        };
        assert_eq!([played("", None), played("Track 3", Some(0))], [[Role::Drums], [Role::Drums]]);
        assert_eq!([played("Piano", None), played("", Some(33))], [[Role::Keys], [Role::Bass]]);
    }

    #[test]
    fn part_that_is_given_a_role_has_it() {
        let mut parts = [part("Beatbox", None, 38), part("Piano", None, 60)];
        assign(&mut parts);
        assert_eq!(rename(&mut parts, " BEATBOX", Role::Drums), 1);
        assert_eq!((parts[0].notes[0].role, parts[1].notes[0].role), (Role::Drums, Role::Keys));
        assert_eq!(rename(&mut parts, "Beat", Role::Drums), 0);
    }

    #[test]
    fn programs_name_roles() {
        let tracks = [
            (38, Role::Bass),
            (48, Role::Strings),
            (61, Role::Brass),
            (73, Role::Winds),
            (81, Role::Lead),
            (89, Role::Pad),
            (127, Role::Other),
        ];
        for (program, role) in tracks {
            assert_eq!(roles(&[("Track", Some(program), 60)]), [role], "program {program}");
        }
    }

    #[test]
    fn programs_take_precedence_over_words_for_instruments() {
        assert_eq!(roles(&[("Bass Trombone", Some(57), 45), ("Alto Viola", Some(41), 60)]), [Role::Brass, Role::LowStrings]);
        assert_eq!(roles(&[("Bassoon 1", None, 45), ("Synth Bass", None, 40), ("", None, 60)]), [Role::Winds, Role::Bass, Role::Keys]);
    }

    #[test]
    fn assigned_notes_are_in_canonical_order() {
        let mut parts = [part("Bass", None, 40)];
        assign(&mut parts);
        assert_eq!(parts[0].notes[0].role, Role::Bass);
        assert!(parts[0].notes.is_sorted_by_key(Note::order));
    }
}
