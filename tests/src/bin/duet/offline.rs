//! The same model, which knows the player's whole part before it begins.

use std::sync::Arc;

use antiphon_engine::cache::FineCoarse;
use antiphon_engine::codec::{OwnRoles, prefix_rows};
use antiphon_engine::decode::{Accompanied, Constraints, Decoder, Draw, Prompt, RoleSet};
use antiphon_engine::model::Model;
use antiphon_engine::music::{Clip, MetreMap, Note, Tempo, TempoMap, Tick, distribute};
use anyhow::{Context, Result};

use crate::piece::Duet;

/// Notes of the own role beside the player's part.
pub(crate) fn accompany(model: &Arc<Model>, duet: &Duet, seed: u32) -> Result<Vec<Note>> {
    let own = OwnRoles::new([duet.own_role]).context("one role")?;
    let policy = Arc::new(FineCoarse::new(&model.info().fine_bars));
    let mut decoder = Decoder::new(Arc::clone(model), policy, &prefix_rows(0, &[duet.player_role, duet.own_role]))?;
    decoder.accompanies(Accompanied::Clip(own))?;
    decoder.set_seed(seed.into());
    let end = duet.bars.last().map_or(Tick::ZERO, antiphon_engine::music::Bar::end);
    let known = Clip {
        parts: distribute(&[], &duet.player),
        metres: MetreMap::new([(Tick::ZERO, duet.bars[0].metre)]),
        tempos: TempoMap::new([(Tick::ZERO, Tempo::from_bpm(duet.tempo).unwrap_or_default())]),
        end,
    };
    let mut prompt = Prompt::accompaniment(&known, None, None);
    let roles: RoleSet = [duet.own_role].into_iter().collect();
    prompt.constraints = Constraints { roles, ..prompt.constraints };
    prompt.constraints.introduce(duet.own_role, &duet.player);
    decoder.prefill(&prompt)?;
    let first = duet.player.first().map_or(Tick::ZERO, |note| known.metres.bar_at(note.onset).start);
    let (mut notes, mut line) = (Vec::new(), first);
    for place in 0..prompt.gap.len() {
        decoder.set_constraints(Constraints { rests_from: Tick::ZERO, ..prompt.constraints.clone() });
        decoder.open_gap_bar(&prompt, place, Draw::FIRST)?;
        let bar = decoder.generate_bar()?;
        notes.extend(bar.notes.iter().map(|note| note.note(line)));
        line += Tick(bar.ticks.into());
    }
    Ok(notes)
}
