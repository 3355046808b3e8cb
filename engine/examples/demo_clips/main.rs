//! Writes the demo clips of `assets/demo`: `cargo run -p antiphon-engine --example demo_clips`.
//!
//! They are original compositions, written out here, so that the demo and the tests use music of known origin.

mod band;
mod notation;
mod pop;
mod waltz;

use std::path::{Path, PathBuf};

use antiphon_engine::music::{Clip, Metre, MetreMap, Part, Tempo, TempoMap, Tick, smf};

/// Every clip with its file name.
fn clips() -> [(&'static str, Clip); 3] {
    [("pop.mid", pop::clip()), ("band.mid", band::clip()), ("waltz.mid", waltz::clip())]
}

/// `assets/demo` of this checkout.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the engine lies in the workspace").join("assets/demo")
}

/// Parts of one metre and one tempo, ended on the bar line after the last note.
fn ensemble(parts: Vec<Part>, metre: Metre, bpm: f64) -> Clip {
    let mut clip = Clip {
        parts,
        metres: MetreMap::new([(Tick::ZERO, metre)]),
        tempos: TempoMap::new([(Tick::ZERO, Tempo::from_bpm(bpm).expect("a tempo a file can hold"))]),
        end: Tick::ZERO,
    };
    clip.end = clip.last_sounding().map_or(Tick::ZERO, |end| clip.metres.bar_line_from(end));
    clip
}

fn main() -> Result<(), smf::MidiError> {
    for (name, clip) in clips() {
        let path = folder().join(name);
        smf::write_file(&clip, &path)?;
        println!("{}: {} notes in {} parts", path.display(), clip.note_count(), clip.parts.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_clips_are_what_this_program_writes() {
        for (name, clip) in clips() {
            let committed = std::fs::read(folder().join(name)).unwrap();
            assert!(
                committed == smf::write(&clip).unwrap(),
                "{name}: write it again with `cargo run -p antiphon-engine --example demo_clips`"
            );
        }
    }

    #[test]
    fn clips_read_back_as_written() {
        for (name, clip) in clips() {
            let read = smf::read_file(&folder().join(name)).unwrap();
            assert_eq!((read.clip.end, &read.clip.metres, &read.clip.tempos), (clip.end, &clip.metres, &clip.tempos), "{name}");
            assert_eq!(read.clip.parts.len(), clip.parts.len(), "{name}");
            // Roles are not written: reading infers them from names and programs.
            let played = |part: &Part| part.notes.iter().map(|n| (n.onset, n.offset, n.duration, n.pitch, n.velocity)).collect::<Vec<_>>();
            for (read, written) in read.clip.parts.iter().zip(&clip.parts) {
                assert_eq!((&read.name, played(read)), (&written.name, played(written)), "{name}");
            }
        }
    }

    #[test]
    fn clip_lengths_are_whole_phrases() {
        for (name, clip) in clips() {
            let bars = clip.metres.bars(clip.end).count();
            assert_eq!(bars % 4, 0, "{name}: {bars} bars");
        }
    }
}
