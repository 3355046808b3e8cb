//! Report of `antiphon continue`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;

use crate::piece::name;
use antiphon_cli::console::Stream;

/// One continuation that was written.
#[derive(Debug, Serialize)]
pub(super) struct Written {
    pub(super) path: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) picture: Option<PathBuf>,
    pub(super) seed: u64,
    /// Its first bar in the source, whose first bar is 1.
    pub(super) start_bar: u32,
    pub(super) bars: u32,
    pub(super) notes: usize,
}

/// The result of the command. Its JSON keys are documented in the command's help and are kept.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) files: Vec<Written>,
    /// Time to generate a note, in milliseconds.
    pub(super) ms_per_note: f64,
    /// Of the first continuation.
    pub(super) seed: u64,
    /// The model's name.
    pub(super) model: String,
    /// The key of the continuations, if one was given or detected.
    pub(super) key: Option<String>,
    pub(super) roles: Vec<&'static str>,
}

impl Report {
    /// Prints it.
    pub(super) fn print(&self, source: &Path, json: bool, stream: Stream) -> Result<()> {
        let text = if json { serde_json::to_string(self)? + "\n" } else { self.table(source)? };
        stream.print(&text)
    }

    fn table(&self, source: &Path) -> Result<String> {
        let key = self.key.as_deref().map(|key| format!(" in {key}")).unwrap_or_default();
        let mut table = String::new();
        writeln!(table, "{} continued{key} by {}, {:.2} ms per note", name(source), self.model, self.ms_per_note)?;
        writeln!(table, "roles: {}\n", self.roles.join(", "))?;
        writeln!(table, "{:>8}  {:>9}  {:>5}  file", "seed", "bars", "notes")?;
        for file in &self.files {
            let bars = format!("{}-{}", file.start_bar, u64::from(file.start_bar) + u64::from(file.bars) - 1);
            writeln!(table, "{:>8}  {bars:>9}  {:>5}  {}", file.seed, file.notes, file.path.display())?;
            if let Some(picture) = &file.picture {
                writeln!(table, "{:26}  {}", "", picture.display())?;
            }
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let written =
            |seed, picture| Written { path: format!("out/a-seed{seed}.mid").into(), picture, seed, start_bar: 17, bars: 8, notes: 93 };
        Report {
            files: vec![written(7, Some("out/a-seed7.png".into())), written(8, None)],
            ms_per_note: 0.8312,
            seed: 7,
            model: "first".into(),
            key: Some("A minor".into()),
            roles: vec!["melody", "left hand"],
        }
    }

    #[test]
    fn table_of_two_continuations_names_every_file() {
        let table = "\
a.mid continued in A minor by first, 0.83 ms per note
roles: melody, left hand

    seed       bars  notes  file
       7      17-24     93  out/a-seed7.mid
                            out/a-seed7.png
       8      17-24     93  out/a-seed8.mid
";
        assert_eq!(report().table(Path::new("a.mid")).unwrap(), table);
    }

    #[test]
    fn json_of_a_report_keeps_its_keys() {
        let json = serde_json::to_value(report()).unwrap();
        let second = serde_json::json!({"path": "out/a-seed8.mid", "seed": 8, "start_bar": 17, "bars": 8, "notes": 93});
        assert_eq!(json["files"][1], second);
        assert_eq!(json["files"][0]["picture"], "out/a-seed7.png");
        for key in ["ms_per_note", "seed", "model", "key", "roles"] {
            assert!(!json[key].is_null(), "{key}");
        }
    }
}
