//! Count tables: occurrences of each class after each context, and the two estimates made from them.

use anyhow::{Result, bail};

use super::context::{CLASS_BITS, CONTEXT_BITS, Query};

/// Absolute discount: subtracted from every count and given to the shorter context.
const DISCOUNT: f64 = 0.6;

/// Count added to every class in the empty context.
const HALF: f64 = 0.5;

/// Probability that one estimate gives to the true class, and to all impossible classes together.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Mass {
    class: f64,
    impossible: f64,
}

impl Mass {
    /// Probability renormalised to the possible classes.
    fn probability(self) -> f64 {
        self.class / (1.0 - self.impossible)
    }
}

/// The two estimates of a query's class, refined order by order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    witten_bell: Mass,
    absolute: Mass,
}

impl Estimate {
    /// In the empty context: from the counts of all classes.
    pub(super) fn without_context(unigram: &[u64], query: &Query) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "counts of notes are far below 2^53")]
        let weight = |count: u64| count as f64 + HALF;
        let total: f64 = unigram.iter().copied().map(weight).sum();
        let possible: f64 = unigram.iter().skip(query.first.into()).take((query.end - query.first).into()).copied().map(weight).sum();
        let class = weight(unigram.get(usize::from(query.class)).copied().unwrap_or(0)) / total;
        let mass = Mass { class, impossible: 1.0 - possible / total };
        Self { witten_bell: mass, absolute: mass }
    }

    /// Interpolates with the counts of a longer context.
    fn refine(&mut self, counts: &[Count], query: &Query) {
        let (mut sum, mut class, mut class_discounted) = (0.0, 0.0, 0.0);
        let (mut impossible, mut impossible_discounted) = (0.0, 0.0);
        for entry in counts {
            let count = f64::from(entry.count);
            sum += count;
            if entry.class == query.class {
                class = count;
                class_discounted = count - DISCOUNT;
            } else if entry.class < query.first || entry.class >= query.end {
                impossible += count;
                impossible_discounted += count - DISCOUNT;
            }
        }
        #[allow(clippy::cast_precision_loss, reason = "at most 512 classes")]
        let types = counts.len() as f64;
        let wb = &mut self.witten_bell;
        wb.class = (class + types * wb.class) / (sum + types);
        wb.impossible = (impossible + types * wb.impossible) / (sum + types);
        let ad = &mut self.absolute;
        ad.class = (class_discounted + DISCOUNT * types * ad.class) / sum;
        ad.impossible = (impossible_discounted + DISCOUNT * types * ad.impossible) / sum;
    }

    /// Probabilities by Witten-Bell interpolation and by absolute discounting.
    pub(super) fn probabilities(&self) -> [f64; 2] {
        [self.witten_bell.probability(), self.absolute.probability()]
    }
}

/// Occurrences of a class after a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    class: u16,
    count: u32,
}

/// Counts of all contexts of one order, packed.
///
/// Contexts are in ascending order. Each is a sequence of LEB128 numbers: twice the difference to the context before, plus 1 if a single class
/// occurred once; then that class, or the number of classes and for each the difference to the class before and its count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table(Vec<u8>);

/// Sort key of a class in a context.
pub(super) fn sort_key(context: u64, class: u16) -> u64 {
    context << CLASS_BITS | u64::from(class)
}

fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(0x80 | u8::try_from(number & 0x7F).unwrap_or(0));
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or(0));
}

impl Table {
    /// Counts equal [`sort_key`]s.
    pub(super) fn count(mut keys: Vec<u64>) -> Self {
        keys.sort_unstable();
        let class_of = |key: u64| u16::try_from(key & ((1 << CLASS_BITS) - 1)).unwrap_or(0);
        let (mut bytes, mut before, mut counts) = (Vec::new(), 0, Vec::new());
        for of_context in keys.chunk_by(|a, b| a >> CLASS_BITS == b >> CLASS_BITS) {
            let context = of_context[0] >> CLASS_BITS;
            counts.clear();
            counts.extend(of_context.chunk_by(|a, b| a == b).map(|of_class| (class_of(of_class[0]), of_class.len() as u64)));
            let gap = context - before;
            before = context;
            if let [(class, 1)] = counts[..] {
                write_number(&mut bytes, gap << 1 | 1);
                write_number(&mut bytes, class.into());
                continue;
            }
            write_number(&mut bytes, gap << 1);
            write_number(&mut bytes, counts.len() as u64);
            let mut class_before = 0;
            for &(class, count) in &counts {
                write_number(&mut bytes, u64::from(class - class_before));
                write_number(&mut bytes, count);
                class_before = class;
            }
        }
        bytes.shrink_to_fit();
        Self(bytes)
    }

    /// A packed table from a file. It is checked while it is used.
    pub(super) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The packed table.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Interpolates the estimates of the queries whose context of this order occurs in the table.
    ///
    /// One pass over the table: queries are sorted as contexts are.
    pub(super) fn refine(&self, order: usize, queries: &[Query], estimates: &mut [Estimate]) -> Result<()> {
        let mut sorted: Vec<(u64, usize)> = queries.iter().enumerate().map(|(index, query)| (query.contexts[order], index)).collect();
        sorted.sort_unstable();
        let mut pending = &sorted[..];
        let mut reader = Reader { bytes: &self.0, position: 0, context: 0, counts: Vec::new() };
        while !pending.is_empty() && reader.next_context()? {
            let missed = pending.iter().take_while(|(context, _)| *context < reader.context).count();
            pending = &pending[missed..];
            let found = pending.iter().take_while(|(context, _)| *context == reader.context).count();
            for &(_, index) in &pending[..found] {
                estimates[index].refine(&reader.counts, &queries[index]);
            }
            pending = &pending[found..];
        }
        Ok(())
    }
}

/// Unpacks a table, one context at a time.
struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    context: u64,
    counts: Vec<Count>,
}

impl Reader<'_> {
    fn number(&mut self) -> Result<u64> {
        let (mut number, mut shift) = (0u64, 0);
        loop {
            let Some(&byte) = self.bytes.get(self.position) else { bail!("it ends inside a number, at byte {}", self.position) };
            self.position += 1;
            number |= u64::from(byte & 0x7F) << shift;
            shift += 7;
            if byte < 0x80 {
                return Ok(number);
            }
            if shift > u64::from(CONTEXT_BITS + 7) {
                bail!("the number before byte {} is too long", self.position);
            }
        }
    }

    /// Reads the next context and its counts; false at the end of the table.
    fn next_context(&mut self) -> Result<bool> {
        if self.position == self.bytes.len() {
            return Ok(false);
        }
        let place = self.position;
        let head = self.number()?;
        self.context += head >> 1;
        if self.context >> CONTEXT_BITS != 0 {
            bail!("the context at byte {place} is out of range");
        }
        self.counts.clear();
        if head & 1 == 1 {
            let class = self.class(0)?;
            self.counts.push(Count { class, count: 1 });
            return Ok(true);
        }
        let classes = self.number()?;
        if !(1..=1 << CLASS_BITS).contains(&classes) {
            bail!("the context at byte {place} has {classes} classes");
        }
        let mut class = 0;
        for _ in 0..classes {
            class = self.class(class)?;
            let count = u32::try_from(self.number()?).ok().filter(|&count| count > 0);
            let Some(count) = count else { bail!("a count before byte {} is out of range", self.position) };
            self.counts.push(Count { class, count });
        }
        Ok(true)
    }

    /// Reads a class, stored as the difference to the class before.
    fn class(&mut self, before: u16) -> Result<u16> {
        let class = u64::from(before) + self.number()?;
        match u16::try_from(class) {
            Ok(class) if class < 1 << CLASS_BITS => Ok(class),
            _ => bail!("the class before byte {} is out of range", self.position),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::context::ORDERS;
    use super::*;

    fn query(context: u64, class: u16) -> Query {
        Query { contexts: [context; ORDERS], class, first: 0, end: 4 }
    }

    fn estimate(table: &Table, unigram: &[u64], query: Query) -> Estimate {
        let mut estimates = [Estimate::without_context(unigram, &query)];
        table.refine(0, &[query], &mut estimates).unwrap();
        estimates[0]
    }

    #[test]
    fn estimates_match_a_calculation_by_hand() {
        // Four classes with counts 3, 1, 0, 0: without context (3.5, 1.5, 0.5, 0.5) / 6.
        let unigram = [3, 1, 0, 0];
        // In context 9 class 0 occurred twice, class 1 once: 3 in all, 2 types.
        let table = Table::count(vec![sort_key(9, 0), sort_key(9, 1), sort_key(9, 0)]);
        let expected_wb = [(2.0 + 2.0 * 3.5 / 6.0) / 5.0, (1.0 + 2.0 * 1.5 / 6.0) / 5.0, (2.0 * 0.5 / 6.0) / 5.0];
        let expected_ad = [(1.4 + 1.2 * 3.5 / 6.0) / 3.0, (0.4 + 1.2 * 1.5 / 6.0) / 3.0, (1.2 * 0.5 / 6.0) / 3.0];
        for class in 0..3u16 {
            let [wb, ad] = estimate(&table, &unigram, query(9, class)).probabilities();
            assert!((wb - expected_wb[usize::from(class)]).abs() < 1e-12, "class {class}: {wb}");
            assert!((ad - expected_ad[usize::from(class)]).abs() < 1e-12, "class {class}: {ad}");
        }
        // An absent context leaves the estimate of the shorter one.
        assert!((estimate(&table, &unigram, query(8, 0)).probabilities()[0] - 3.5 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn impossible_classes_lose_their_mass_to_possible_ones() {
        let table = Table::count(vec![sort_key(9, 0), sort_key(9, 1), sort_key(9, 3)]);
        let among = |class| {
            let query = Query { first: 1, end: 3, ..query(9, class) };
            estimate(&table, &[3, 1, 0, 0], query).probabilities()
        };
        for k in 0..2 {
            assert!((among(1)[k] + among(2)[k] - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn damaged_table_is_an_error_and_never_a_panic() {
        let table = Table::count((0..500u64).map(|i| sort_key(i * 977 % 100_000, u16::try_from(i % 300).unwrap())).collect());
        let look_up = |bytes: &[u8]| {
            let query = query((1 << CONTEXT_BITS) - 1, 0);
            let mut estimates = [Estimate::without_context(&[1; 4], &query)];
            Table::from_bytes(bytes.to_vec()).refine(0, &[query], &mut estimates)
        };
        assert!(look_up(table.as_bytes()).is_ok());
        assert!(look_up(&table.as_bytes()[..table.as_bytes().len() - 1]).is_err());
        assert!(look_up(&[0xFF; 40]).is_err());
        assert!(look_up(&[2, 0]).is_err(), "no classes");
        assert!(look_up(&[2, 1, 0, 0]).is_err(), "a count of zero");
    }

    proptest! {
        #[test]
        fn counts_survive_packing(keys in prop::collection::vec((0u64..200, 0u16..512), 0..300)) {
            let table = Table::count(keys.iter().map(|&(context, class)| sort_key(context << 30, class)).collect());
            let mut reader = Reader { bytes: table.as_bytes(), position: 0, context: 0, counts: Vec::new() };
            let mut unpacked = Vec::new();
            while reader.next_context().unwrap() {
                for entry in &reader.counts {
                    unpacked.extend(vec![(reader.context >> 30, entry.class); usize::try_from(entry.count).unwrap()]);
                }
            }
            let mut sorted = keys;
            sorted.sort_unstable();
            prop_assert_eq!(unpacked, sorted);
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let query = query((1 << CONTEXT_BITS) - 1, 0);
            let mut estimates = [Estimate::without_context(&[1; 4], &query)];
            let _ = Table::from_bytes(bytes).refine(0, &[query], &mut estimates);
        }
    }
}
