//! The graph of a network for one row a run, over a K/V cache in a buffer of fixed size.

use ort::operator::Attribute;
use ort::value::TensorElementType::{Float32, Int32, Int64};

use super::graph::{Bias, GraphBuilder, MICROSOFT};
use super::shapes::{Block, Input, Network, Output};

/// Name of the input with the row: tokens or a vector.
pub(super) const ROW: &str = "row";
/// Name of the output with the chosen classes.
pub(super) const CHOICE: &str = "choice";
/// Name of the output with the vector for a further network or run.
pub(super) const VECTOR: &str = "vector";

const EPSILON: f32 = 1e-5;

/// Name of the K or V tensor of a layer, as input (`past`) or output (`present`).
pub(super) fn cache_name(time: &str, what: &str, layer: usize) -> String {
    format!("{time}_{what}_{layer}")
}

/// Adds a network that attends to at most `window` rows. Its cache holds as many.
pub(super) fn build(g: &mut GraphBuilder, network: &Network, window: usize) -> ort::Result<()> {
    g.input("position", Int64, &[1]);
    g.input("seqlens_k", Int32, &[1]);
    g.input("total_length", Int32, &[1]);
    let table = g.table(network.vocabulary, network.width)?;
    let mut x = embed(g, network, &table)?;
    let rotation = match network.block {
        Block::Gpt2 => {
            x = add_position(g, network, window, &x)?;
            None
        }
        Block::Llama => Some(rotation(g, network, window)?),
    };
    for layer in 0..network.layers {
        let normal = norm(g, network, &x)?;
        let attended = attention(g, network, window, layer, &normal, rotation.as_ref())?;
        x = g.operation("Add", &[&x, &attended], Vec::new())?;
        let normal = norm(g, network, &x)?;
        let fed = feed_forward(g, network, &normal)?;
        x = g.operation("Add", &[&x, &fed], Vec::new())?;
    }
    let state = norm(g, network, &x)?;
    finish(g, network, &state, &table)
}

/// The row's embedding, `[1, 1, width]`.
fn embed(g: &mut GraphBuilder, network: &Network, table: &str) -> ort::Result<String> {
    match network.input {
        Input::Vector => Ok(g.input(ROW, Float32, &[1, 1, network.width])),
        Input::Tokens(tokens) => {
            g.input(ROW, Int64, &[1, tokens]);
            let each = g.operation("Gather", &[table, ROW], vec![Attribute::new("axis", 0_i64)?])?;
            let axis = g.integers(&[1])?;
            g.operation("ReduceSum", &[&each, &axis], vec![Attribute::new("keepdims", 1_i64)?])
        }
    }
}

fn add_position(g: &mut GraphBuilder, network: &Network, window: usize, x: &str) -> ort::Result<String> {
    let positions = g.table(window, network.width)?;
    let position = g.operation("Gather", &[&positions, "position"], vec![Attribute::new("axis", 0_i64)?])?;
    g.operation("Add", &[x, &position], Vec::new())
}

/// Cosines and sines of the rotary positions.
fn rotation(g: &mut GraphBuilder, network: &Network, window: usize) -> ort::Result<[String; 2]> {
    let pairs = network.head_width() / 2;
    let angle = move |row: usize, pair: usize| row as f32 * 10_000_f32.powf(-(pair as f32) / pairs as f32);
    Ok([
        g.computed(window, pairs, move |row, pair| angle(row, pair).cos())?,
        g.computed(window, pairs, move |row, pair| angle(row, pair).sin())?,
    ])
}

fn norm(g: &mut GraphBuilder, network: &Network, x: &str) -> ort::Result<String> {
    let scale = g.ones(network.width)?;
    let attributes = vec![Attribute::new("axis", -1_i64)?, Attribute::new("epsilon", EPSILON)?];
    match network.block {
        Block::Gpt2 => {
            let bias = g.zeros(network.width)?;
            g.operation("LayerNormalization", &[x, &scale, &bias], attributes)
        }
        Block::Llama => g.operation("SimplifiedLayerNormalization", &[x, &scale], attributes),
    }
}

fn attention(
    g: &mut GraphBuilder,
    network: &Network,
    window: usize,
    layer: usize,
    x: &str,
    rotation: Option<&[String; 2]>,
) -> ort::Result<String> {
    let Network { width, heads, .. } = *network;
    let bias = bias(network.block);
    let qkv = g.linear(x, [width, 3 * width], bias)?;
    let parts = ["query", "key", "value"].map(|part| cache_name("new", part, layer));
    let sizes = g.integers(&[i64::try_from(width).unwrap_or(i64::MAX); 3])?;
    g.node("Split", "", &[&qkv, &sizes], &[&parts[0], &parts[1], &parts[2]], vec![Attribute::new("axis", -1_i64)?])?;
    let shape = [1, heads, window, network.head_width()];
    let [past_key, past_value] = ["key", "value"].map(|what| g.input(&cache_name("past", what, layer), Float32, &shape));
    let [key, value] = ["key", "value"].map(|what| cache_name("present", what, layer));
    let mut inputs = vec![parts[0].as_str(), &parts[1], &parts[2], &past_key, &past_value, "seqlens_k", "total_length"];
    inputs.extend(rotation.into_iter().flatten().map(String::as_str));
    let number = i64::try_from(heads).unwrap_or(i64::MAX);
    let attributes = [("num_heads", number), ("kv_num_heads", number), ("do_rotary", i64::from(rotation.is_some()))];
    let attributes = attributes.into_iter().map(|(name, value)| Attribute::new(name, value)).collect::<ort::Result<_>>()?;
    let attended = cache_name("attended", "rows", layer);
    g.node("GroupQueryAttention", MICROSOFT, &inputs, &[&attended, &key, &value], attributes)?;
    g.output(&key, Float32, &shape);
    g.output(&value, Float32, &shape);
    g.linear(&attended, [width, width], bias)
}

fn feed_forward(g: &mut GraphBuilder, network: &Network, x: &str) -> ort::Result<String> {
    let Network { width, inner, .. } = *network;
    let bias = bias(network.block);
    let up = g.linear(x, [width, inner], bias)?;
    let active = match network.block {
        Block::Gpt2 => {
            let name = format!("{up}_gelu");
            g.node("Gelu", MICROSOFT, &[&up], &[&name], Vec::new())?;
            name
        }
        Block::Llama => {
            let gate = g.linear(x, [width, inner], bias)?;
            let open = g.operation("Sigmoid", &[&gate], Vec::new())?;
            let silu = g.operation("Mul", &[&gate, &open], Vec::new())?;
            g.operation("Mul", &[&silu, &up], Vec::new())?
        }
    };
    g.linear(&active, [inner, width], bias)
}

const fn bias(block: Block) -> Bias {
    match block {
        Block::Gpt2 => Bias::Random,
        Block::Llama => Bias::None,
    }
}

/// The network's outputs. Greedy choice, in the graph: the cheapest there is.
fn finish(g: &mut GraphBuilder, network: &Network, state: &str, table: &str) -> ort::Result<()> {
    let Network { width, vocabulary, .. } = *network;
    let heads = match network.output {
        Output::State => {
            g.node("Identity", "", &[state], &[VECTOR], Vec::new())?;
            g.output(VECTOR, Float32, &[1, 1, width]);
            return Ok(());
        }
        Output::Classes(heads) => heads,
        Output::ClassAndEmbedding => 1,
    };
    let mut classes = Vec::new();
    for _ in 0..heads {
        let logits = g.linear(state, [width, vocabulary / heads], Bias::None)?;
        classes.push(g.operation("ArgMax", &[&logits], vec![Attribute::new("axis", -1_i64)?, Attribute::new("keepdims", 0_i64)?])?);
    }
    let classes: Vec<&str> = classes.iter().map(String::as_str).collect();
    g.node("Concat", "", &classes, &[CHOICE], vec![Attribute::new("axis", 1_i64)?])?;
    g.output(CHOICE, Int64, &[1, heads]);
    if network.output == Output::ClassAndEmbedding {
        g.node("Gather", "", &[table, CHOICE], &[VECTOR], vec![Attribute::new("axis", 0_i64)?])?;
        g.output(VECTOR, Float32, &[1, 1, width]);
    }
    Ok(())
}
