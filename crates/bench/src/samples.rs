//! What was measured, raw: one sample per row, target and round; written and read as JSON.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};

/// The quantities of one target in one round of one row.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Sample {
    pub(crate) row: String,
    pub(crate) target: String,
    pub(crate) round: usize,
    pub(crate) values: BTreeMap<String, f64>,
}

/// Samples and the machine and programs they come from.
#[derive(Default)]
pub(crate) struct Samples {
    /// Facts by name, in words.
    pub(crate) about: BTreeMap<String, String>,
    pub(crate) all: Vec<Sample>,
}

/// Median, least and most of one quantity over the rounds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Samples {
    /// The spread of `key` for a target in a row, `None` when it was not measured.
    pub(crate) fn spread(&self, row: &str, target: &str, key: &str) -> Option<Spread> {
        Spread::of(self.rounds(row, target, key).into_values().collect())
    }

    pub(crate) fn median(&self, row: &str, target: &str, key: &str) -> Option<f64> {
        self.spread(row, target, key).map(|spread| spread.median)
    }

    /// The median, over the rounds, of a target's value divided by the reference's value in the same round: a machine
    /// that is slower for some minutes slows both.
    pub(crate) fn ratio(&self, row: &str, target: &str, reference: &str, key: &str) -> Option<f64> {
        let references = self.rounds(row, reference, key);
        let ratios = self.rounds(row, target, key).into_iter();
        let ratios = ratios.filter_map(|(round, value)| Some(value / references.get(&round)?));
        Spread::of(ratios.collect()).map(|spread| spread.median)
    }

    fn rounds(&self, row: &str, target: &str, key: &str) -> BTreeMap<usize, f64> {
        let wanted = self.all.iter().filter(|sample| sample.row == row && sample.target == target);
        wanted.filter_map(|sample| Some((sample.round, sample.values.get(key).copied()?))).collect()
    }

    /// Errors of a target in a row over all rounds.
    pub(crate) fn errors(&self, row: &str, target: &str) -> f64 {
        let wanted = self.all.iter().filter(|sample| sample.row == row && sample.target == target);
        wanted.filter_map(|sample| sample.values.get("errors")).sum()
    }

    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let samples: Vec<Value> = self
            .all
            .iter()
            .map(|sample| {
                json!({"row": sample.row, "target": sample.target, "round": sample.round, "values": sample.values})
            })
            .collect();
        let text = serde_json::to_string_pretty(&json!({"about": self.about, "samples": samples}))?;
        fs::write(path, text + "\n")
    }

    /// Reads a file of [`Samples::write`] and adds it to these.
    pub(crate) fn read(&mut self, path: &Path) -> io::Result<()> {
        let file: Value = serde_json::from_slice(&fs::read(path)?)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for (name, fact) in file.get("about").and_then(Value::as_object).unwrap_or(&Map::new()) {
            self.about.insert(name.clone(), text(fact));
        }
        for sample in file.get("samples").and_then(Value::as_array).unwrap_or(&Vec::new()) {
            let values = sample.get("values").and_then(Value::as_object);
            let numbers = values.into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), value.as_f64()?)));
            self.all.push(Sample {
                row: sample.get("row").map(text).unwrap_or_default(),
                target: sample.get("target").map(text).unwrap_or_default(),
                round: sample.get("round").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or(0),
                values: numbers.collect(),
            });
        }
        Ok(())
    }
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Option<Spread> {
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let upper = *values.get(values.len() / 2)?;
        let lower = *values.get((values.len() - 1) / 2)?;
        Some(Spread { median: f64::midpoint(lower, upper), least, most })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample(row: &str, target: &str, round: usize, key: &str, value: f64) -> Sample {
        let values = BTreeMap::from([(key.to_owned(), value)]);
        Sample { row: row.to_owned(), target: target.to_owned(), round, values }
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        let all = [4.0, 1.0, 3.0, 9.0].iter().enumerate();
        let all = all.map(|(round, value)| sample("r", "nginx", round, "cpu_us", *value)).collect();
        let samples = Samples { all, ..Samples::default() };
        let spread = samples.spread("r", "nginx", "cpu_us");
        assert_eq!(spread, Some(Spread { median: 3.5, least: 1.0, most: 9.0 }));
        assert_eq!(samples.spread("r", "caddy", "cpu_us"), None);
    }

    #[test]
    fn ratios_compare_within_a_round() {
        // The machine is twice as slow in the second round, and the reference was not measured in the third.
        let all =
            [("nginx", 0, 10.0), ("nginx", 1, 20.0), ("strait", 0, 7.0), ("strait", 1, 14.0), ("strait", 2, 99.0)];
        let all = all.map(|(target, round, value)| sample("r", target, round, "cpu_us", value)).to_vec();
        let samples = Samples { all, ..Samples::default() };
        assert_eq!(samples.ratio("r", "strait", "nginx", "cpu_us"), Some(0.7));
        assert_eq!(samples.ratio("r", "strait", "caddy", "cpu_us"), None);
    }

    #[test]
    fn what_is_written_is_read_back() -> io::Result<()> {
        let path = std::env::temp_dir().join(format!("strait-bench-{}.json", std::process::id()));
        let all = vec![sample("r", "nginx", 1, "cpu_us", 1.25)];
        let about = BTreeMap::from([("kernel".to_owned(), "Linux".to_owned())]);
        Samples { about, all }.write(&path)?;
        let mut read = Samples::default();
        read.read(&path)?;
        fs::remove_file(&path)?;
        assert_eq!(read.all, vec![sample("r", "nginx", 1, "cpu_us", 1.25)]);
        assert_eq!(read.about.get("kernel").map(String::as_str), Some("Linux"));
        Ok(())
    }
}
