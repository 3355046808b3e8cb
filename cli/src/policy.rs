//! Which page-selection policy a command uses.

use std::sync::Arc;

use antiphon_engine::cache::{CacheOptions, PagePolicy, Reads, policy};
use antiphon_engine::model::Model;
use anyhow::{Context, Result, ensure};

/// Memory for policies that look back far: enough that no bar of the context is dropped.
const FAR_BYTES: usize = 512 << 20;

/// Farthest that a policy of the plug-in looks back, with its memory.
const NEAR_BARS: u32 = 64;

/// The option every command that runs a model has.
#[derive(clap::Args)]
pub struct PolicyArgs {
    /// Which earlier bars the model sees note by note: fine_coarse, as the shipped one was trained, or another policy
    ///
    /// fine_coarse: the bars 1, 2, 4, 8, 12, 16, 24 and 32 back, the others by a summary each.
    /// summaries: none, all by their summaries.
    /// window:BARS: the last ones.
    /// strided:BARS: the last ones, and every multiple of as many.
    /// fixed:BLOCK,LAST: the block of bars that the bar is in, and the last bars of every earlier block.
    /// topk:BARS: in each layer those whose keys answer best, as many notes as the last BARS bars have.
    /// lsh:BUCKETS, kmeans:CLUSTERS: what followed the bars that are like the last one, the others by their summaries.
    /// dense: all.
    /// Numbers may be left out. All but dense look at most 256 bars back. A model plays well under the policy it was trained with.
    #[arg(long, value_name = "NAME", default_value = "fine_coarse", value_parser = name, verbatim_doc_comment)]
    policy: String,
}

impl PolicyArgs {
    /// The policy, for this model.
    pub fn open(&self, model: &Model) -> Result<Arc<dyn PagePolicy>> {
        let policy = policy(&self.policy, &model.info().fine_bars).context("--policy")?;
        ensure!(
            policy.reads() < Reads::Queries || model.gives_queries(),
            "--policy {}: the graph of the model {} does not give the queries by which it selects bars; export the model again, or choose another policy",
            policy.name(),
            model.info().name
        );
        Ok(policy)
    }
}

/// A policy's name, checked.
pub fn name(given: &str) -> Result<String, String> {
    policy(given, &[]).map(|_| given.to_owned()).map_err(|error| error.to_string())
}

/// Memory enough for both sides of a gap, and for policies that look back far.
pub fn ample() -> CacheOptions {
    CacheOptions { bytes: FAR_BYTES, ..CacheOptions::default() }
}

/// As much memory as a policy needs: the plug-in's where that is enough.
pub fn memory(policy: &dyn PagePolicy) -> CacheOptions {
    let near = CacheOptions::default();
    if policy.reach().is_some_and(|bars| bars <= NEAR_BARS) { near } else { ample() }
}
