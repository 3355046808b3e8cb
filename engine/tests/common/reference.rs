//! The reference graph: masked softmax attention over a whole sequence (docs/model-interface.md, "The reference graph").

use std::{borrow::Cow, path::Path};

use antiphon_engine::{
    cache::{MOST_BARS, Rest, Selection},
    codec::{
        BarEnd, BarRows, Layout, NoteClasses, Recall, Row, Targets,
        vocabulary::{FIELDS, Field, TOTAL_CLASSES},
    },
    model::{MASKED, ModelInfo, REMEMBERED, Rotary},
};
use ort::{session::Session, session::SessionInputValue, value::Tensor};

use super::runtime;

pub(crate) struct Reference {
    session: Session,
}

/// Outputs of the reference graph for every row of a sequence but the summaries.
pub(crate) struct Whole {
    /// Hidden states, bar by bar, row by row.
    pub(crate) hidden: Vec<Vec<Vec<f32>>>,
    /// Negative log-likelihoods of the true classes, by bar and row.
    pub(crate) nll: Vec<Vec<[f32; FIELDS]>>,
}

/// Bars that a bar attends to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct View {
    pub(crate) seen: Selection,
    pub(crate) rest: Rest,
}

/// A row of the sequence with its bar.
struct Member {
    row: Row,
    targets: Targets,
    /// `None` for the prefix.
    bar: Option<Bar>,
    summary: bool,
    /// Index among the rows of its bar.
    place: usize,
}

/// A bar of the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bar {
    /// Index in the sequence.
    order: usize,
    /// Index in the music.
    number: u32,
}

impl Reference {
    pub(crate) fn open(path: &Path) -> Self {
        let session = Session::builder(runtime().environment())
            .and_then(|mut builder| builder.commit_from_file(path))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { session }
    }

    /// Runs a sequence in which each bar attends according to its view.
    pub(crate) fn run(&mut self, info: &ModelInfo, prefix: &[Row], bars: &[BarRows], views: &[View]) -> Whole {
        let bars: Vec<_> = bars.iter().map(|bar| (bar.clone(), Vec::new())).collect();
        self.run_given(info, prefix, &bars, views)
    }

    /// The same for bars in any order, each with its own and its given notes.
    pub(crate) fn run_given(&mut self, info: &ModelInfo, prefix: &[Row], bars: &[(BarRows, Vec<NoteClasses>)], views: &[View]) -> Whole {
        let bars: Vec<_> = bars.iter().map(|(bar, given)| (bar.clone(), given.clone(), Layout::default())).collect();
        self.run_laid_out(info, prefix, &bars, views)
    }

    /// The same for bars each of which has a layout of its own.
    pub(crate) fn run_laid_out(
        &mut self,
        info: &ModelInfo,
        prefix: &[Row],
        bars: &[(BarRows, Vec<NoteClasses>, Layout)],
        views: &[View],
    ) -> Whole {
        let prefix = prefix.iter().map(|&row| Member { row, targets: [-1; FIELDS], bar: None, summary: false, place: 0 });
        let mut members: Vec<Member> = prefix.collect();
        let mut recall = Recall::default();
        for (order, (bar, given, layout)) in bars.iter().enumerate() {
            let (mut rows, targets) = layout.align(bar, given, BarEnd::Bar);
            recall.set_own(layout.own);
            let mut recalled = recall.begin(bar.index);
            recalled.fill_in(&mut rows);
            recall.finish(recalled);
            let last = rows.len() - 1;
            let at = Some(Bar { order, number: bar.index });
            let member = |(index, (row, targets))| Member { row, targets, bar: at, summary: index == last, place: index };
            members.extend(rows.into_iter().zip(targets).enumerate().map(member));
        }
        let outputs = self.session.run(inputs(info, &members, views)).expect("the reference graph runs");
        let hidden = outputs["hidden"].try_extract_tensor::<f32>().expect("hidden").1;
        let nll = outputs["nll"].try_extract_tensor::<f32>().expect("nll").1;
        let mut whole = Whole { hidden: vec![Vec::new(); bars.len()], nll: vec![Vec::new(); bars.len()] };
        for (index, member) in members.iter().enumerate() {
            if let (Some(bar), false) = (member.bar, member.summary) {
                let bar = bar.order;
                whole.hidden[bar].push(hidden[index * info.width..][..info.width].to_vec());
                whole.nll[bar].push(nll[index * FIELDS..][..FIELDS].try_into().expect("eight fields"));
            }
        }
        whole
    }
}

/// Whether row `i` attends to row `j` in a layer: the rule of docs/model-interface.md, "Attention mask and page policies".
fn sees(members: &[Member], i: usize, j: usize, layer: usize, views: &[View]) -> bool {
    let (query, key) = (&members[i], &members[j]);
    match (query.bar, key.bar) {
        _ if j > i => false,
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(now), Some(then)) if now == then => true,
        (Some(_), Some(_)) if query.summary => false,
        (Some(now), Some(then)) => {
            let View { seen, rest } = &views[now.order];
            let (now, then) = (now.number, then.number);
            let rows = match seen {
                Selection::Bars(bars) => {
                    if bars.binary_search(&then).is_ok() {
                        usize::MAX
                    } else {
                        0
                    }
                }
                Selection::ByLayer(layers) => layers[layer].iter().find(|(bar, _)| *bar == then).map_or(0, |(_, rows)| *rows),
            };
            if key.summary { rows == 0 && *rest == Rest::Summaries && now.abs_diff(then) <= MOST_BARS } else { key.place < rows }
        }
    }
}

fn inputs(info: &ModelInfo, members: &[Member], views: &[View]) -> Vec<(Cow<'static, str>, SessionInputValue<'static>)> {
    let rows = members.len();
    let content: Vec<usize> = (0..rows).filter(|&index| members[index].bar.is_some() && !members[index].summary).collect();
    let mut mix = vec![0.0; rows * content.len()];
    for (index, member) in members.iter().enumerate().filter(|(_, member)| member.summary) {
        let own: Vec<usize> = (0..content.len()).filter(|&place| members[content[place]].bar == member.bar).collect();
        for &place in &own {
            mix[index * content.len() + place] = 1.0 / f32::from(u16::try_from(own.len()).expect("small"));
        }
    }
    let place = |at: usize| (at / (rows * rows), at / rows % rows, at % rows);
    let value = |(layer, i, j)| if sees(members, i, j, layer, views) { 0.0 } else { MASKED };
    let mask = (0..info.layers * rows * rows).map(|at| value(place(at))).collect();
    let (all, width): (Vec<usize>, usize) = ((0..rows).collect(), info.columns);
    let columns =
        |of: &[usize]| of.iter().flat_map(|&index| members[index].row.columns[..width].iter().copied().map(i64::from)).collect::<Vec<_>>();
    let force = members.iter().flat_map(|member| member.targets.map(i64::from)).collect();
    let (cos_q, sin_q) = cos_sin(&info.rotary, members, |row| row.query);
    let (cos_k, sin_k) = cos_sin(&info.rotary, members, |row| row.key);
    let pairs = info.rotary.pairs();

    let masks = [Field::Pitch, Field::Duration, Field::Velocity, Field::Offset].map(|field| {
        let name = format!("mask_{}", field.name());
        (name.into(), float(&[1, field.classes()], vec![0.0; field.classes()]))
    });
    let tables: [(&'static str, &[usize]); 4] =
        [("mask_type", &[1, 2, 3]), ("mask_beat", &[1, 2, 16]), ("mask_sub", &[1, 2, 16, 24]), ("mask_role", &[1, 2, 2, 16])];
    let mut inputs: Vec<(Cow<'static, str>, SessionInputValue<'static>)> = vec![
        ("rows".into(), integer(&[rows, width], columns(&all))),
        ("summary_rows".into(), integer(&[content.len(), width], columns(&content))),
        ("summary_mix".into(), float(&[rows, content.len()], mix)),
        ("cos_q".into(), float(&[rows, pairs], cos_q)),
        ("sin_q".into(), float(&[rows, pairs], sin_q)),
        ("cos_k".into(), float(&[rows, pairs], cos_k)),
        ("sin_k".into(), float(&[rows, pairs], sin_k)),
        ("attention_mask".into(), float(&[info.layers, rows, rows], mask)),
        ("asked".into(), integer(&[rows], (0..).take(rows).collect())),
        ("force".into(), integer(&[rows, FIELDS], force)),
        ("temperature".into(), float(&[FIELDS], vec![1.0; FIELDS])),
        ("log_min_p".into(), float(&[FIELDS], vec![MASKED; FIELDS])),
        ("noise".into(), float(&[1, TOTAL_CLASSES], vec![0.0; TOTAL_CLASSES])),
        ("pitch_top".into(), integer(&[1], vec![256])),
    ];
    if info.memory > 0 {
        let classes = REMEMBERED
            .iter()
            .flat_map(|&field| members.iter().map(move |member| i64::from(member.targets[field as usize].max(0))))
            .collect();
        let order = |row: usize| members[row].bar.map(|bar| bar.order);
        let earlier = |i: usize, j: usize| members[j].targets[Field::Pitch as usize] >= 0 && order(j) < order(i);
        let mask = (0..rows * rows).map(|at| if earlier(at / rows, at % rows) { -1.0 } else { -1e4 }).collect();
        inputs.push(("memory_classes".into(), integer(&[REMEMBERED.len(), rows], classes)));
        inputs.push(("memory_mask".into(), float(&[rows, rows], mask)));
    }
    inputs.extend(masks);
    inputs.extend(tables.map(|(name, shape)| (name.into(), float(shape, vec![0.0; shape.iter().product()]))));
    inputs
}

fn cos_sin(rotary: &Rotary, members: &[Member], position: impl Fn(&Row) -> antiphon_engine::codec::Position) -> (Vec<f32>, Vec<f32>) {
    let pairs = rotary.pairs();
    let (mut cos, mut sin) = (vec![0.0; members.len() * pairs], vec![0.0; members.len() * pairs]);
    for ((member, cos), sin) in members.iter().zip(cos.chunks_exact_mut(pairs)).zip(sin.chunks_exact_mut(pairs)) {
        rotary.cos_sin(position(&member.row), cos, sin);
    }
    (cos, sin)
}

fn dims(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&size| i64::try_from(size).expect("small")).collect()
}

fn float(shape: &[usize], data: Vec<f32>) -> SessionInputValue<'static> {
    Tensor::from_array((dims(shape), data)).expect("a tensor").into()
}

fn integer(shape: &[usize], data: Vec<i64>) -> SessionInputValue<'static> {
    Tensor::from_array((dims(shape), data)).expect("a tensor").into()
}
