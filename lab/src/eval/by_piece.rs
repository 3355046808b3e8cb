//! Bits of each piece as a CSV table, for bootstrap intervals over pieces and for pooling sources.

use std::path::Path;

use antiphon_engine::codec::vocabulary::Field;
use antiphon_engine::files::write_whole;
use anyhow::Context;

use super::pieces::ChosenFile;
use super::tally::{PieceNats, Predictor, Stretch, Tally};
use crate::corpus::Piece;

/// Columns before those of the fields.
const COLUMNS: [&str; 5] = ["path", "source", "bars", "predictor", "notes"];

/// Writes a line for each piece, stretch and predictor: number of notes, and the bits of each field summed over them.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn write(to: &Path, files: &[ChosenFile], pieces: &[Piece], nats: &[PieceNats]) -> anyhow::Result<()> {
    let bytes = table(files, pieces, nats)?;
    write_whole(to, &bytes).with_context(|| format!("{}: cannot be written; check --by-piece and the free space", to.display()))
}

fn table(files: &[ChosenFile], pieces: &[Piece], nats: &[PieceNats]) -> anyhow::Result<Vec<u8>> {
    let mut lines = csv::Writer::from_writer(Vec::new());
    lines.write_record(COLUMNS.into_iter().chain(Field::ALL.iter().map(|field| field.name())))?;
    for ((file, piece), nats) in files.iter().zip(pieces).zip(nats) {
        let mut tally = Tally::default();
        tally.add(piece, nats);
        for stretch in Stretch::ALL {
            let sum = &tally.stretches[stretch as usize];
            for predictor in Predictor::ALL.into_iter().filter(|predictor| nats[*predictor as usize].is_some()) {
                #[allow(clippy::cast_precision_loss, reason = "notes are counted far below 2^53")]
                let notes = sum.notes as f64;
                let bits = sum.fields(predictor).map(|bits| format!("{:.3}", bits * notes.max(1.0)));
                let facts =
                    [file.path.clone(), file.source.clone(), stretch.name().to_owned(), predictor.name().to_owned(), sum.notes.to_string()];
                lines.write_record(facts.into_iter().chain(bits))?;
            }
        }
    }
    Ok(lines.into_inner()?)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{constant_nats, one_note_bars};
    use super::*;

    #[test]
    fn table_has_a_line_for_each_stretch_and_predictor() {
        let piece = one_note_bars(40);
        let file = ChosenFile::new("a", "a/b.mid", std::path::PathBuf::new());
        let nats = constant_nats(&piece, Predictor::Model, std::f64::consts::LN_2);
        let written = String::from_utf8(table(&[file], &[piece], &[nats]).unwrap()).unwrap();
        let lines: Vec<&str> = written.lines().collect();
        assert_eq!(lines[0], "path,source,bars,predictor,notes,pitch,duration,velocity,offset,type,beat,sub,role");
        assert_eq!(lines[1], format!("a/b.mid,a,1-8,model,8{}", ",8.000".repeat(8)));
        assert_eq!(lines[2], format!("a/b.mid,a,9-32,model,24{}", ",24.000".repeat(8)));
        assert_eq!(lines.len(), 4);
    }
}
