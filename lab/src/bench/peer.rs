//! A shape that runs: its networks with their caches.

use antiphon_engine::model::Runtime;
use ort::memory::Allocator;
use ort::session::{IoBinding, Session};
use ort::value::Tensor;

use super::graph::{GraphBuilder, Storage, dims};
use super::network::{CHOICE, ROW, VECTOR, build, cache_name};
use super::shapes::{Input, Network, Output, Shape};

/// A shape with random weights.
pub(super) struct Peer {
    runs: usize,
    network: Runner,
    /// Network of the fields, and its runs for a note.
    fields: Option<(Runner, usize)>,
}

impl Peer {
    /// Builds and loads the networks of a shape.
    pub(super) fn new(runtime: &Runtime, shape: &Shape, storage: Storage) -> ort::Result<Self> {
        let fields = match &shape.fields {
            Some((network, runs)) => Some((Runner::new(runtime, network, *runs, storage)?, *runs)),
            None => None,
        };
        Ok(Self { runs: shape.runs, network: Runner::new(runtime, &shape.network, shape.window, storage)?, fields })
    }

    /// Number of weights in the graphs.
    pub(super) fn weights(&self) -> usize {
        self.network.weights + self.fields.as_ref().map_or(0, |(network, _)| network.weights)
    }

    /// Goes to the point after `notes` notes. What the cache holds there is random: the cost of a run does not depend on it.
    pub(super) fn rewind(&mut self, notes: usize) {
        self.network.past = notes * self.runs;
    }

    /// Rows that the next note attends to.
    pub(super) const fn rows(&self) -> usize {
        self.network.past + 1
    }

    /// Generates a note.
    pub(super) fn note(&mut self) -> ort::Result<()> {
        for _ in 0..self.runs {
            self.network.run()?;
        }
        if let Some((fields, runs)) = &mut self.fields {
            fields.past = 0;
            fields.read_vector(&self.network);
            let mut tokens = Vec::with_capacity(*runs);
            for _ in 0..*runs {
                fields.run()?;
                tokens.extend(fields.choice());
            }
            self.network.read_tokens(&tokens);
        }
        Ok(())
    }
}

/// A network with its cache and everything bound to it. The binding outlives none of its tensors.
struct Runner {
    session: Session,
    binding: IoBinding,
    weights: usize,
    row: Row,
    /// Chosen classes; empty for a network without heads.
    choice: Option<Tensor<i64>>,
    vector: Option<Tensor<f32>>,
    position: Tensor<i64>,
    seqlens_k: Tensor<i32>,
    total_length: Tensor<i32>,
    /// K and V of each layer.
    cache: Vec<Tensor<f32>>,
    /// Rows in the cache.
    past: usize,
}

/// Input of a run.
enum Row {
    Tokens(Tensor<i64>),
    Vector(Tensor<f32>),
}

impl Runner {
    fn new(runtime: &Runtime, network: &Network, window: usize, storage: Storage) -> ort::Result<Self> {
        let mut graph = GraphBuilder::new(storage)?;
        build(&mut graph, network, window)?;
        let weights = graph.weights();
        let session = graph.load(runtime)?;
        let allocator = Allocator::default();
        let vector = || Tensor::<f32>::new(&allocator, dims(&[1, 1, network.width]));
        let tokens = |count: usize| Tensor::<i64>::new(&allocator, dims(&[1, count]));
        let row = match network.input {
            Input::Tokens(count) => Row::Tokens(tokens(count)?),
            Input::Vector => Row::Vector(vector()?),
        };
        let (choice, vector) = match network.output {
            Output::Classes(heads) => (Some(tokens(heads)?), None),
            Output::State => (None, Some(vector()?)),
            Output::ClassAndEmbedding => (Some(tokens(1)?), Some(vector()?)),
        };
        let mut runner = Self {
            binding: session.create_binding()?,
            session,
            weights,
            row,
            choice,
            vector,
            position: Tensor::new(&allocator, [1_i64])?,
            seqlens_k: Tensor::new(&allocator, [1_i64])?,
            total_length: Tensor::new(&allocator, [1_i64])?,
            cache: Vec::new(),
            past: 0,
        };
        runner.bind(network, window)?;
        Ok(runner)
    }

    fn bind(&mut self, network: &Network, window: usize) -> ort::Result<()> {
        let binding = &mut self.binding;
        match &self.row {
            Row::Tokens(tokens) => binding.bind_input(ROW, tokens)?,
            Row::Vector(vector) => binding.bind_input(ROW, vector)?,
        }
        binding.bind_input("position", &self.position)?;
        binding.bind_input("seqlens_k", &self.seqlens_k)?;
        binding.bind_input("total_length", &self.total_length)?;
        if let Some(choice) = &mut self.choice {
            binding.bind_output(CHOICE, choice)?;
        }
        if let Some(vector) = &mut self.vector {
            binding.bind_output(VECTOR, vector)?;
        }
        let mut random = fastrand::Rng::with_seed(2);
        for layer in 0..network.layers {
            for what in ["key", "value"] {
                let mut tensor = Tensor::<f32>::new(&Allocator::default(), dims(&[1, network.heads, window, network.head_width()]))?;
                tensor.extract_tensor_mut().1.iter_mut().for_each(|value| *value = random.f32() - 0.5);
                // The graph appends in place.
                binding.bind_input(cache_name("past", what, layer), &tensor)?;
                binding.bind_output(cache_name("present", what, layer), &mut tensor)?;
                self.cache.push(tensor);
            }
        }
        Ok(())
    }

    /// Runs the row, and makes what it chose the next one.
    fn run(&mut self) -> ort::Result<()> {
        let past = i32::try_from(self.past).map_err(|_| ort::Error::new("more than 2^31 rows in the cache"))?;
        self.position.extract_tensor_mut().1[0] = i64::from(past);
        self.seqlens_k.extract_tensor_mut().1[0] = past;
        self.total_length.extract_tensor_mut().1[0] = past + 1;
        self.session.run_binding(&self.binding)?;
        self.past += 1;
        match (&mut self.row, &self.choice, &self.vector) {
            (Row::Tokens(row), Some(choice), _) => row.extract_tensor_mut().1.copy_from_slice(choice.extract_tensor().1),
            (Row::Vector(row), _, Some(vector)) => row.extract_tensor_mut().1.copy_from_slice(vector.extract_tensor().1),
            _ => {}
        }
        Ok(())
    }

    fn choice(&self) -> Option<i64> {
        self.choice.as_ref().map(|choice| choice.extract_tensor().1[0])
    }

    /// Makes the other network's vector the next row.
    fn read_vector(&mut self, other: &Self) {
        if let (Row::Vector(row), Some(vector)) = (&mut self.row, &other.vector) {
            row.extract_tensor_mut().1.copy_from_slice(vector.extract_tensor().1);
        }
    }

    fn read_tokens(&mut self, tokens: &[i64]) {
        if let Row::Tokens(row) = &mut self.row {
            row.extract_tensor_mut().1.copy_from_slice(tokens);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::shapes::Block;
    use super::*;
    use antiphon_engine::model::RuntimeSearch;

    const SMALL: Network = Network {
        block: Block::Gpt2,
        layers: 2,
        width: 64,
        heads: 4,
        inner: 128,
        vocabulary: 96,
        input: Input::Tokens(1),
        output: Output::Classes(1),
    };
    const WINDOW: usize = 16;

    fn networks() -> [Network; 4] {
        [
            SMALL,
            Network { input: Input::Tokens(3), output: Output::Classes(3), ..SMALL },
            Network { block: Block::Llama, output: Output::State, input: Input::Tokens(8), ..SMALL },
            Network { block: Block::Llama, output: Output::ClassAndEmbedding, input: Input::Vector, ..SMALL },
        ]
    }

    fn runner(network: &Network, storage: Storage) -> Runner {
        let runtime = Runtime::load(&RuntimeSearch::default()).unwrap_or_else(|error| panic!("{error}"));
        Runner::new(runtime, network, WINDOW, storage).unwrap_or_else(|error| panic!("{network:?}: {error}"))
    }

    /// Last outputs of a run, whatever the network has.
    fn outputs(runner: &Runner) -> Vec<f32> {
        let vector = runner.vector.iter().flat_map(|vector| vector.extract_tensor().1.to_vec());
        vector.chain(runner.choice.iter().flat_map(|choice| choice.extract_tensor().1.iter().map(|&class| class as f32))).collect()
    }

    #[test]
    fn graph_has_as_many_weights_as_its_shape() {
        for network in networks() {
            for storage in [Storage::Int8, Storage::Fp32] {
                assert_eq!(runner(&network, storage).weights, network.parameters(WINDOW), "{network:?}");
            }
        }
    }

    #[test]
    fn run_appends_one_row_to_every_layer_of_the_cache() {
        for network in networks() {
            let mut runner = runner(&network, Storage::Int8);
            let before: Vec<Vec<f32>> = runner.cache.iter().map(|tensor| tensor.extract_tensor().1.to_vec()).collect();
            runner.past = 5;
            runner.run().unwrap();
            for (before, after) in before.iter().zip(&runner.cache) {
                let rows = before.chunks(network.head_width()).zip(after.extract_tensor().1.chunks(network.head_width()));
                let changed: Vec<usize> = rows.enumerate().filter(|(_, (a, b))| a != b).map(|(row, _)| row).collect();
                assert_eq!(changed, (0..network.heads).map(|head| head * WINDOW + 5).collect::<Vec<_>>(), "{network:?}");
            }
            assert_eq!(runner.past, 6);
        }
    }

    #[test]
    fn state_depends_on_the_rows_in_the_cache_and_on_no_later_ones() {
        let network = networks()[2];
        let after = |change: Option<usize>| {
            let mut runner = runner(&network, Storage::Fp32);
            for tensor in &mut runner.cache {
                if let Some(row) = change {
                    tensor.extract_tensor_mut().1[row * network.head_width()] += 1.0;
                }
            }
            runner.past = 5;
            runner.run().unwrap();
            outputs(&runner)
        };
        assert_ne!(after(None), after(Some(3)));
        assert_eq!(after(None), after(Some(9)));
    }

    #[test]
    fn chosen_class_or_its_embedding_is_the_next_row() {
        let mut tokens = runner(&SMALL, Storage::Fp32);
        tokens.run().unwrap();
        let Row::Tokens(row) = &tokens.row else { panic!("it reads tokens") };
        assert_eq!(Some(row.extract_tensor().1[0]), tokens.choice());

        let mut vectors = runner(&networks()[3], Storage::Fp32);
        vectors.run().unwrap();
        let Row::Vector(row) = &vectors.row else { panic!("it reads a vector") };
        assert_eq!(row.extract_tensor().1, vectors.vector.as_ref().unwrap().extract_tensor().1);
        assert!(row.extract_tensor().1.iter().any(|value| *value != 0.0));
    }
}
