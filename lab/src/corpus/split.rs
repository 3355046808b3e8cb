//! Assignment of pieces to the training, validation and test splits.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Without a split file one piece in this many is a validation piece.
const VALID_ONE_IN: u64 = 20;

/// Use of a piece. Discriminants are the values in the corpus file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Split {
    /// Training.
    Train = 0,
    /// Validation: decides when training stops.
    Valid = 1,
    /// Test: not in the corpus.
    Test = 2,
}

/// Rule that assigns a split to each piece.
#[derive(Debug)]
pub(crate) enum SplitRule {
    /// By a hash of the path, independent of the other pieces.
    Hashed,
    /// By a split file.
    Listed {
        /// Split by path.
        splits: HashMap<String, Split>,
        /// Sources that the file names.
        sources: HashSet<String>,
    },
}

/// A line of a split file.
#[derive(Deserialize)]
struct Line {
    path: String,
    source: String,
    split: Split,
}

impl SplitRule {
    /// Reads a split file: CSV with the columns path, source and split (train, valid or test).
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let other = || format!("{}: not a split file; it needs the columns path,source,split", file.display());
        let mut reader = csv::Reader::from_path(file).with_context(|| format!("{}: cannot be read; check --split", file.display()))?;
        let headers = reader.headers().with_context(other)?;
        if !["path", "source", "split"].iter().all(|column| headers.iter().any(|header| header == *column)) {
            bail!(other());
        }
        let (mut splits, mut sources) = (HashMap::new(), HashSet::new());
        for line in reader.deserialize() {
            let Line { path, source, split } = line.with_context(other)?;
            if splits.insert(path.clone(), split).is_some_and(|before| before != split) {
                bail!("{}: {path} is in two splits; keep one line", file.display());
            }
            sources.insert(source);
        }
        if splits.is_empty() {
            bail!("{}: no line but the header; leave --split out to split by a hash of the path", file.display());
        }
        Ok(Self::Listed { splits, sources })
    }

    /// Split of a piece by its path (`source/name.mid`); `None` if it must not be used.
    ///
    /// With a split file: as listed. A piece that is not listed although the file names its source is left out. Pieces of a source that the file does
    /// not name are training pieces, but if its name says that it was made from a listed source (`pop909-band-synth` from `pop909`), only those whose
    /// namesake trains: others would leak validation pieces into training.
    pub(crate) fn split(&self, path: &str) -> Option<Split> {
        match self {
            Self::Hashed => Some(hashed(path)),
            Self::Listed { splits, sources } => {
                let (source, name) = path.split_once('/')?;
                if sources.contains(source) {
                    return splits.get(path).copied();
                }
                let origin = sources.iter().filter(|origin| is_made_from(source, origin)).max_by_key(|origin| origin.len());
                match origin {
                    None => Some(Split::Train),
                    Some(origin) => splits.get(&format!("{origin}/{name}")).copied().filter(|split| *split == Split::Train),
                }
            }
        }
    }
}

/// Whether `source` is called `origin-something`.
fn is_made_from(source: &str, origin: &str) -> bool {
    source.strip_prefix(origin).is_some_and(|rest| rest.starts_with('-'))
}

fn hashed(path: &str) -> Split {
    let digest = Sha256::digest(path.as_bytes());
    let number = digest.iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    if number % VALID_ONE_IN == 0 { Split::Valid } else { Split::Train }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> anyhow::Result<SplitRule> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        SplitRule::read(file.path())
    }

    #[test]
    fn split_file_decides_for_the_sources_that_it_names() {
        let rule = rule("path,source,split\npop/1.mid,pop,train\npop/2.mid,pop,valid\npop/3.mid,pop,test\n").unwrap();
        assert_eq!(rule.split("pop/1.mid"), Some(Split::Train));
        assert_eq!(rule.split("pop/2.mid"), Some(Split::Valid));
        assert_eq!(rule.split("pop/3.mid"), Some(Split::Test));
        assert_eq!(rule.split("pop/4.mid"), None);
        assert_eq!(rule.split("other/2.mid"), Some(Split::Train));
        assert_eq!(rule.split("popular/2.mid"), Some(Split::Train));
    }

    #[test]
    fn arrangement_of_a_validation_piece_is_left_out() {
        let rule = rule("path,source,split\npop/1.mid,pop,train\npop/2.mid,pop,valid\n").unwrap();
        assert_eq!(rule.split("pop-band/1.mid"), Some(Split::Train));
        assert_eq!(rule.split("pop-band/2.mid"), None);
        assert_eq!(rule.split("pop-band/9.mid"), None);
    }

    #[test]
    fn hashed_split_gives_one_piece_in_twenty_to_validation() {
        let paths: Vec<String> = (0..2000).map(|n| format!("source/{n}.mid")).collect();
        let valid = paths.iter().filter(|path| SplitRule::Hashed.split(path) == Some(Split::Valid)).count();
        assert_eq!(valid, 118);
    }

    #[test]
    fn bad_split_file_is_refused_with_its_line() {
        let unknown = format!("{:#}", rule("path,source,split\na/1.mid,a,training\n").unwrap_err());
        assert!(unknown.contains("line: 2") && unknown.contains("training"), "{unknown}");
        assert!(format!("{:#}", rule("path,split\na/1.mid,train\n").unwrap_err()).contains("needs the columns"));
        assert!(format!("{:#}", rule("path,source,split\n").unwrap_err()).contains("no line"));
        let twice = "path,source,split\na/1.mid,a,train\na/1.mid,a,valid\n";
        assert!(format!("{:#}", rule(twice).unwrap_err()).contains("two splits"));
        assert!(SplitRule::read(Path::new("/no/such.csv")).is_err());
    }
}
