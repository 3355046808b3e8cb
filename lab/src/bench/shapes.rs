//! Published models of symbolic music, as shapes: what one run of each network computes, and how many runs a note takes.

/// A model by its shape. Its weights are random: speed does not depend on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Name on the command line.
    pub(super) name: &'static str,
    /// The model and what is known of its shape.
    pub(super) about: &'static str,
    /// Source of the figures.
    pub(super) source: &'static str,
    /// Parameters that the source states, in millions.
    pub(super) stated_millions: u32,
    /// Rows that the model was trained to attend to, at most.
    pub(super) window: usize,
    /// Network whose rows are the music so far.
    pub(super) network: Network,
    /// Runs of it for a note.
    pub(super) runs: usize,
    /// A second network that makes the fields of the note from the first one's state, one run each.
    pub(super) fields: Option<(Network, usize)>,
}

/// A decoder-only Transformer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    /// Layout of a block.
    pub(super) block: Block,
    /// Number of blocks.
    pub(super) layers: usize,
    /// Width of the state.
    pub(super) width: usize,
    /// Attention heads of a block.
    pub(super) heads: usize,
    /// Width inside the feed-forward part.
    pub(super) inner: usize,
    /// Classes of the embedding.
    pub(super) vocabulary: usize,
    /// What a row is made of.
    pub(super) input: Input,
    /// What a run computes after the last block.
    pub(super) output: Output,
}

/// Layout of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    /// Layer normalisation, one matrix for Q, K and V, GELU, biases; learnt positions.
    Gpt2,
    /// RMS normalisation, a gated feed-forward part with SiLU, no biases; rotary positions.
    Llama,
}

/// What a row is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// The sum of the embeddings of so many tokens.
    Tokens(usize),
    /// A vector: the state of another network, or the embedding of the token chosen last.
    Vector,
}

/// What a run computes after the last block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// The likeliest class of each of so many heads over the vocabulary.
    Classes(usize),
    /// The state alone.
    State,
    /// The likeliest class, and its embedding for the next run.
    ClassAndEmbedding,
}

/// All shapes. Tokens of a note are counted in the way that favours the model.
pub(super) const SHAPES: [Shape; 4] = [AMT, MIDI_GPT, SKYTNT, PIANO];

const AMT: Shape = Shape {
    name: "amt",
    about: "Anticipatory Music Transformer, small: three tokens a note (time, duration, instrument and pitch)",
    source: "Thickstun et al., Anticipatory Music Transformer (TMLR 2024; 128 M); jthickstun/anticipation: anticipation/config.py, vocab.py (1,024 rows, 55,028 classes); the model stanford-crfm/music-small-800k (GPT-2, 12 x 768, 12 heads, tied head)",
    stated_millions: 128,
    window: 1024,
    network: Network {
        block: Block::Gpt2,
        layers: 12,
        width: 768,
        heads: 12,
        inner: 3072,
        vocabulary: 55_028,
        input: Input::Tokens(1),
        output: Output::Classes(1),
    },
    runs: 3,
    fields: None,
};

const MIDI_GPT: Shape = Shape {
    name: "midi-gpt",
    about: "MIDI-GPT, small: three tokens a note (position, pitch, duration; one more where the velocity changes, one fewer inside a chord)",
    source: "Pasquier et al., MIDI-GPT (AAAI 2025; 20 M); Metacreation-Lab/MIDI-GPT: models/yellow_small.json (GPT-2, 6 x 512, 8 heads, 2,048 rows), yellow_encoder.json (647 classes)",
    stated_millions: 20,
    window: 2048,
    network: Network {
        block: Block::Gpt2,
        layers: 6,
        width: 512,
        heads: 8,
        inner: 2048,
        vocabulary: 647,
        input: Input::Tokens(1),
        output: Output::Classes(1),
    },
    runs: 3,
    fields: None,
};

const SKYTNT: Shape = Shape {
    name: "skytnt",
    about: "SkyTNT midi-model, medium: a run of the large network for a note, then eight of the small one for its event type and seven fields",
    source: "SkyTNT/midi-model: midi_model.py (LLaMA, 12 x 1024 and 3 x 1024), midi_tokenizer.py (version 2: 3,406 classes, eight tokens a note); 234 M",
    stated_millions: 234,
    window: 4096,
    network: Network {
        block: Block::Llama,
        layers: 12,
        width: 1024,
        heads: 16,
        inner: 4096,
        vocabulary: 3406,
        input: Input::Tokens(8),
        output: Output::State,
    },
    runs: 1,
    fields: Some((
        Network {
            block: Block::Llama,
            layers: 3,
            width: 1024,
            heads: 4,
            inner: 1024,
            vocabulary: 3406,
            input: Input::Vector,
            output: Output::ClassAndEmbedding,
        },
        8,
    )),
};

const PIANO: Shape = Shape {
    name: "piano",
    about: "A piano model with one run a note. Of its shape the size alone is published: 17 blocks of GPT-2's layout, 768 wide, and four fields of 128 classes are assumed",
    source: "simedw.com/2026/08/20/midi-autocomplete (125 M; a whole note a run; 108 notes per second on the neural engine of a telephone)",
    stated_millions: 125,
    window: 2048,
    network: Network {
        block: Block::Gpt2,
        layers: 17,
        width: 768,
        heads: 12,
        inner: 3072,
        vocabulary: 512,
        input: Input::Tokens(4),
        output: Output::Classes(4),
    },
    runs: 1,
    fields: None,
};

impl Shape {
    /// The shape of this name.
    pub(super) fn from_name(name: &str) -> Result<Self, String> {
        let names = || SHAPES.map(|shape| shape.name).join(", ");
        SHAPES
            .into_iter()
            .find(|shape| shape.name == name)
            .ok_or_else(|| format!("there is no shape of that name; the shapes are {}", names()))
    }

    /// Number of parameters; an embedding that the head shares counts once.
    pub(super) fn parameters(&self) -> usize {
        let shared = |network: &Network| network.output == Output::Classes(1);
        let of = |network: &Network| network.parameters(self.window) - if shared(network) { network.vocabulary * network.width } else { 0 };
        of(&self.network) + self.fields.map_or(0, |(network, _)| of(&network))
    }

    /// Notes whose rows fit into the window.
    pub(super) const fn notes_in_window(&self) -> usize {
        self.window / self.runs
    }
}

impl Network {
    /// Weights of the network, its heads included, that a graph of it holds for `window` positions.
    pub(super) fn parameters(&self, window: usize) -> usize {
        let Self { layers, width, inner, vocabulary, .. } = *self;
        let attention = 4 * width * width;
        let (block, ends) = match self.block {
            Block::Gpt2 => (attention + 2 * width * inner + 9 * width + inner, window * width + 2 * width),
            Block::Llama => (attention + 3 * width * inner + 2 * width, width),
        };
        let heads = match self.output {
            Output::Classes(_) | Output::ClassAndEmbedding => vocabulary * width,
            Output::State => 0,
        };
        layers * block + ends + vocabulary * width + heads
    }

    /// Width of a head.
    pub(super) const fn head_width(&self) -> usize {
        self.width / self.heads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_have_the_size_that_their_sources_state() {
        for shape in SHAPES {
            let millions = shape.parameters() as f64 / 1e6;
            let stated = f64::from(shape.stated_millions);
            assert!((millions / stated - 1.0).abs() < 0.03, "{}: {millions:.1} M, stated {stated} M", shape.name);
        }
    }

    #[test]
    fn unknown_shape_is_refused_with_the_known_ones() {
        assert_eq!(Shape::from_name("amt"), Ok(AMT));
        assert!(Shape::from_name("bach").unwrap_err().contains("amt, midi-gpt, skytnt, piano"));
    }

    #[test]
    fn widths_divide_into_heads_and_blocks_of_weights() {
        for network in SHAPES.iter().flat_map(|shape| [Some(shape.network), shape.fields.map(|(network, _)| network)]).flatten() {
            assert_eq!((network.width % (2 * network.heads), network.width % 32, network.inner % 32), (0, 0, 0), "{network:?}");
        }
    }
}
