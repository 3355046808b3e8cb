//! Policies by their names on the command line.

use std::sync::Arc;

use super::{Dense, FineCoarse, Fixed, KMeans, Lsh, PagePolicy, SlidingWindow, Strided, SummariesOnly, TopK};

/// All policies with their parameters, for messages and help texts.
pub const POLICY_NAMES: &str =
    "fine_coarse, summaries, window:BARS, strided:BARS, fixed:BLOCK,LAST, topk:BARS, lsh:BUCKETS, kmeans:CLUSTERS and dense";

/// Why a policy name is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyNameError {
    /// No such policy.
    #[error("there is no page policy {0:?}; there are {POLICY_NAMES}")]
    Unknown(String),
    /// The parameters after the name are not valid.
    #[error("the page policy {name:?} is not complete: {takes}")]
    Numbers {
        /// The name as given.
        name: String,
        /// The parameters that the policy takes.
        takes: &'static str,
    },
}

/// The policy with this name. `fine_bars` are the distances of the model's fine attention. Parameters have defaults.
///
/// ```
/// use antiphon_engine::cache::policy;
///
/// assert_eq!(policy("window", &[])?.name(), "window:8");
/// assert!(policy("window:0", &[]).is_err());
/// # Ok::<(), antiphon_engine::cache::PolicyNameError>(())
/// ```
///
/// # Errors
/// [`PolicyNameError`], which lists the policies or the parameters.
pub fn policy(name: &str, fine_bars: &[u32]) -> Result<Arc<dyn PagePolicy>, PolicyNameError> {
    const BARS: &str = "it takes a number of bars from 1 to 256";
    let (kind, given) = match name.split_once(':') {
        Some((kind, given)) => (kind, Some(given)),
        None => (name, None),
    };
    let wrong = |takes| Err(PolicyNameError::Numbers { name: name.to_owned(), takes });
    let number = |default: u32| given.map_or(Some(default), whole);
    Ok(match kind {
        "fine_coarse" | "summaries" | "dense" if given.is_some() => return wrong("it takes no number"),
        "fine_coarse" => Arc::new(FineCoarse::new(fine_bars)),
        "summaries" => Arc::new(SummariesOnly),
        "dense" => Arc::new(Dense),
        "window" | "strided" | "topk" => match (kind, number(8)) {
            ("window", Some(bars @ 1..=256)) => Arc::new(SlidingWindow { bars }),
            ("strided", Some(bars @ 1..=256)) => Arc::new(Strided { bars }),
            (_, Some(bars @ 1..=256)) => Arc::new(TopK { bars }),
            _ => return wrong(BARS),
        },
        "fixed" => {
            let pair = given.map_or(Some((8, 1)), |given| given.split_once(',').and_then(|(block, last)| whole(block).zip(whole(last))));
            match pair {
                Some((block @ 1..=256, last)) if (1..=block).contains(&last) => Arc::new(Fixed { block, last }),
                _ => {
                    return wrong("it takes the bars of a block, from 1 to 256, and how many of its last bars later blocks see: fixed:8,1");
                }
            }
        }
        "lsh" => match number(16) {
            Some(buckets @ 2..=64) if buckets % 2 == 0 => Arc::new(Lsh { buckets }),
            _ => return wrong("it takes an even number of buckets from 2 to 64"),
        },
        "kmeans" => match number(8) {
            Some(clusters @ 2..=64) => Arc::new(KMeans { clusters }),
            _ => return wrong("it takes a number of clusters from 2 to 64"),
        },
        _ => return Err(PolicyNameError::Unknown(name.to_owned())),
    })
}

/// A number written in digits only, without a sign.
fn whole(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_have_defaults() {
        let whole = [
            ("window", "window:8"),
            ("strided", "strided:8"),
            ("fixed", "fixed:8,1"),
            ("topk", "topk:8"),
            ("lsh", "lsh:16"),
            ("kmeans", "kmeans:8"),
            ("dense", "dense"),
        ];
        for (short, long) in whole {
            assert_eq!(policy(short, &[]).unwrap().name(), long);
        }
    }

    #[test]
    fn invalid_name_is_refused_with_the_valid_ones() {
        for name in ["", "Dense", "window8", ":8", "sparse"] {
            let message = policy(name, &[]).unwrap_err().to_string();
            assert!(POLICY_NAMES.split(", ").all(|name| message.contains(name)), "{message}");
        }
        let wrong = [
            ("window:", "1 to 256"),
            ("window:0", "1 to 256"),
            ("window:+4", "1 to 256"),
            ("window:257", "1 to 256"),
            ("window:99999999999", "1 to 256"),
            ("strided:x", "1 to 256"),
            ("topk:1,2", "1 to 256"),
            ("fixed:8", "fixed:8,1"),
            ("fixed:8,9", "fixed:8,1"),
            ("fixed:8,0", "fixed:8,1"),
            ("fixed:300,1", "fixed:8,1"),
            ("lsh:7", "even"),
            ("lsh:66", "even"),
            ("kmeans:1", "clusters"),
            ("dense:2", "no number"),
            ("fine_coarse:", "no number"),
        ];
        for (name, cure) in wrong {
            let message = policy(name, &[]).unwrap_err().to_string();
            assert!(message.contains(cure) && message.contains(name), "{message}");
        }
    }
}
