//! A histogram as text.

use std::fmt::Write;

/// The widest bar.
const WIDTH: usize = 50;

/// How wide the ranges are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ranges {
    /// One to each doubling.
    Wide = 4,
    /// Four to each doubling.
    Narrow = 1,
}

/// How many of `times`, in nanoseconds, lie in which range: a line for each range between the first and the last that has any.
pub fn of(times: &[u64], ranges: Ranges) -> String {
    let buckets: Vec<usize> = times.iter().map(|ns| bucket(*ns) / ranges as usize).collect();
    let (Some(&first), Some(&last)) = (buckets.iter().min(), buckets.iter().max()) else {
        return String::new();
    };
    let count = |bucket: usize| buckets.iter().filter(|one| **one == bucket).count();
    let most = (first..=last).map(count).max().unwrap_or(1);
    let mut text = String::new();
    for bucket in first..=last {
        let bar = "#".repeat((count(bucket) * WIDTH).div_ceil(most));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:>10.1} us {:>6} {bar}",
            start(bucket * ranges as usize) as f64 / 1000.0,
            count(bucket)
        );
    }
    text
}

/// Four to each doubling.
fn bucket(ns: u64) -> usize {
    let ns = ns.max(4);
    let doubling = ns.ilog2();
    4 * doubling as usize + (ns >> (doubling - 2) & 3) as usize
}

/// The smallest number in a bucket.
const fn start(bucket: usize) -> u64 {
    ((4 + bucket % 4) as u64) << (bucket / 4 - 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_begins_where_the_last_one_ends() {
        for ns in (4..10_000).chain([u64::MAX / 2, u64::MAX]) {
            let own = bucket(ns);
            assert!(start(own) <= ns, "{ns}");
            assert!(own >= 250 || ns < start(own + 1), "{ns}");
        }
        assert_eq!(bucket(0), bucket(4));
    }

    #[test]
    fn bars_are_in_proportion() {
        assert_eq!(of(&[], Ranges::Narrow), "");
        let text = of(&[1000, 1001, 1002, 1300], Ranges::Narrow);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(
            lines[0].ends_with(&"#".repeat(50)) && lines[0].contains(" 3 "),
            "{text}"
        );
        assert!(lines[1].trim_end().ends_with('0'), "{text}");
        let wide = of(&[1000, 1001, 1002, 1300], Ranges::Wide);
        assert_eq!(wide.lines().count(), 2, "{wide}");
        assert!(wide.starts_with("       0.5 us      3 "), "{wide}");
    }
}
