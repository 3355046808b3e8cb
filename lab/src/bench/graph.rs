//! Graphs with random weights, built in memory through ONNX Runtime's model editor.

use antiphon_engine::model::Runtime;
use ort::editor::{Graph, Model, Node, ONNX_DOMAIN, Opset};
use ort::ep::CPU;
use ort::logging::LogLevel;
use ort::memory::Allocator;
use ort::operator::Attribute;
use ort::session::{Session, builder::GraphOptimizationLevel};
use ort::value::{Outlet, PrimitiveTensorElementType, Shape, SymbolicDimensions, Tensor, TensorElementType, ValueType};

/// Domain of ONNX Runtime's own operators.
pub(super) const MICROSOFT: &str = "com.microsoft";

/// Weights of one output that share a scale, as in the shipped model.
const BLOCK: usize = 32;

/// Constants up to this size are copied into the graph: ONNX Runtime reads them while it infers shapes.
const SMALL_BYTES: usize = 127;

/// Storage type of the matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Storage {
    /// Blocks of 8-bit integers with a scale each, multiplied in 8 bits: as Antiphon's model is shipped.
    Int8,
    /// 32-bit floats: as the published weights are run on a processor.
    Fp32,
}

/// A graph as it grows. Operations are named by their outputs.
pub(super) struct GraphBuilder {
    graph: Graph,
    storage: Storage,
    random: fastrand::Rng,
    inputs: Vec<Outlet>,
    outputs: Vec<Outlet>,
    /// Names given so far.
    names: usize,
    /// Weights added so far; the scales of 8-bit blocks do not count.
    weights: usize,
}

impl GraphBuilder {
    /// An empty graph whose matrices are stored like this.
    pub(super) fn new(storage: Storage) -> ort::Result<Self> {
        let random = fastrand::Rng::with_seed(1);
        Ok(Self { graph: Graph::new()?, storage, random, inputs: Vec::new(), outputs: Vec::new(), names: 0, weights: 0 })
    }

    /// Number of weights.
    pub(super) const fn weights(&self) -> usize {
        self.weights
    }

    /// Adds an input.
    pub(super) fn input(&mut self, name: &str, kind: TensorElementType, shape: &[usize]) -> String {
        self.inputs.push(outlet(name, kind, shape));
        name.to_owned()
    }

    /// Makes a result an output. It has that name already.
    pub(super) fn output(&mut self, name: &str, kind: TensorElementType, shape: &[usize]) {
        self.outputs.push(outlet(name, kind, shape));
    }

    /// Adds an operation with one result.
    pub(super) fn operation(&mut self, kind: &str, inputs: &[&str], attributes: Vec<Attribute>) -> ort::Result<String> {
        let name = self.name(kind);
        self.node(kind, ONNX_DOMAIN, inputs, &[&name], attributes)?;
        Ok(name)
    }

    /// Adds an operation of a domain with these results.
    pub(super) fn node(
        &mut self,
        kind: &str,
        domain: &str,
        inputs: &[&str],
        outputs: &[&str],
        attributes: Vec<Attribute>,
    ) -> ort::Result<()> {
        let name = self.name("node");
        self.graph.add_node(Node::new(kind, domain, name, inputs, outputs, attributes)?)
    }

    /// `x` times a random matrix, and a bias if wanted.
    pub(super) fn linear(&mut self, x: &str, sizes: [usize; 2], bias: Bias) -> ort::Result<String> {
        let [inputs, outputs] = sizes;
        self.weights += inputs * outputs;
        let product = match self.storage {
            Storage::Fp32 => {
                let matrix = self.random_floats(&[inputs, outputs])?;
                self.operation("MatMul", &[x, &matrix], Vec::new())?
            }
            Storage::Int8 => self.quantised(x, inputs, outputs)?,
        };
        match bias {
            Bias::None => Ok(product),
            Bias::Random => {
                self.weights += outputs;
                let bias = self.random_floats(&[outputs])?;
                self.operation("Add", &[&product, &bias], Vec::new())
            }
        }
    }

    fn quantised(&mut self, x: &str, inputs: usize, outputs: usize) -> ort::Result<String> {
        let blocks = inputs / BLOCK;
        let mut values = Tensor::<u8>::new(&Allocator::default(), dims(&[outputs, blocks, BLOCK]))?;
        self.random.fill(values.extract_tensor_mut().1);
        let values = self.constant(values)?;
        let mut scales = Tensor::<f32>::new(&Allocator::default(), dims(&[outputs, blocks]))?;
        scales.extract_tensor_mut().1.fill(3e-4);
        let scales = self.constant(scales)?;
        let number = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        // Level 4 multiplies in 8 bits.
        let attributes = [("K", number(inputs)), ("N", number(outputs)), ("bits", 8), ("block_size", number(BLOCK)), ("accuracy_level", 4)];
        let attributes = attributes.into_iter().map(|(name, value)| Attribute::new(name, value)).collect::<ort::Result<_>>()?;
        let name = self.name("MatMulNBits");
        self.node("MatMulNBits", MICROSOFT, &[x, &values, &scales], &[&name], attributes)?;
        Ok(name)
    }

    /// A random table of embeddings.
    pub(super) fn table(&mut self, rows: usize, width: usize) -> ort::Result<String> {
        self.weights += rows * width;
        self.random_floats(&[rows, width])
    }

    /// A vector of ones: the scale of a norm.
    pub(super) fn ones(&mut self, length: usize) -> ort::Result<String> {
        self.filled(length, 1.0)
    }

    /// A vector of zeros: the bias of a norm.
    pub(super) fn zeros(&mut self, length: usize) -> ort::Result<String> {
        self.filled(length, 0.0)
    }

    fn filled(&mut self, length: usize, value: f32) -> ort::Result<String> {
        self.weights += length;
        let mut tensor = Tensor::<f32>::new(&Allocator::default(), dims(&[length]))?;
        tensor.extract_tensor_mut().1.fill(value);
        self.constant(tensor)
    }

    /// A table that is computed, not learnt.
    pub(super) fn computed(&mut self, rows: usize, width: usize, value: impl Fn(usize, usize) -> f32) -> ort::Result<String> {
        let mut tensor = Tensor::<f32>::new(&Allocator::default(), dims(&[rows, width]))?;
        for (row, values) in tensor.extract_tensor_mut().1.chunks_exact_mut(width).enumerate() {
            values.iter_mut().enumerate().for_each(|(column, to)| *to = value(row, column));
        }
        self.constant(tensor)
    }

    /// A vector of integers.
    pub(super) fn integers(&mut self, values: &[i64]) -> ort::Result<String> {
        let mut tensor = Tensor::<i64>::new(&Allocator::default(), dims(&[values.len()]))?;
        tensor.extract_tensor_mut().1.copy_from_slice(values);
        self.constant(tensor)
    }

    fn random_floats(&mut self, shape: &[usize]) -> ort::Result<String> {
        let mut tensor = Tensor::<f32>::new(&Allocator::default(), dims(shape))?;
        for value in tensor.extract_tensor_mut().1 {
            *value = (self.random.f32() - 0.5) * 0.08;
        }
        self.constant(tensor)
    }

    fn constant<T: PrimitiveTensorElementType + std::fmt::Debug>(&mut self, tensor: Tensor<T>) -> ort::Result<String> {
        let name = self.name("constant");
        let is_external = size_of_val(tensor.extract_tensor().1) > SMALL_BYTES;
        self.graph.add_initializer(&name, tensor, is_external)?;
        Ok(name)
    }

    fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        format!("{kind}_{}", self.names)
    }

    /// The finished graph, loaded with the settings of the engine: one thread that does not spin.
    pub(super) fn load(mut self, runtime: &Runtime) -> ort::Result<Session> {
        self.graph.set_inputs(self.inputs)?;
        self.graph.set_outputs(self.outputs)?;
        let mut model = Model::new([Opset::new(ONNX_DOMAIN, 17)?, Opset::new(MICROSOFT, 1)?])?;
        model.set_graph(self.graph)?;
        let options = Session::builder(runtime.environment())?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?
            .with_log_level(LogLevel::Fatal)?
            .with_execution_providers([CPU::default().with_arena_allocator(false).build()])?;
        model.into_session(&options)
    }
}

/// Whether a linear layer has a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bias {
    None,
    Random,
}

/// Sizes as ONNX Runtime takes them.
pub(super) fn dims(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&size| i64::try_from(size).unwrap_or(i64::MAX)).collect()
}

fn outlet(name: &str, ty: TensorElementType, shape: &[usize]) -> Outlet {
    let dimension_symbols = SymbolicDimensions::empty(shape.len());
    Outlet::new(name, ValueType::Tensor { ty, shape: Shape::new(dims(shape)), dimension_symbols })
}
