//! A part of the matrix for one machine of many: `K/N`.

use std::str::FromStr;

/// Part `number` of `of`, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: usize,
    of: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text}: a shard is K/N with K from 1 to N, as in 2/6");
        let (number, of) = text.split_once('/').ok_or_else(wrong)?;
        let (number, of) = (
            number.parse().map_err(|_| wrong())?,
            of.parse().map_err(|_| wrong())?,
        );
        if number < 1 || number > of {
            Err(wrong())
        } else {
            Ok(Self { number, of })
        }
    }
}

impl Shard {
    /// This part of `items`: neighbours stay together, because they share kernels.
    pub fn of<T>(self, mut items: Vec<T>) -> Vec<T> {
        // In this order the numbers stay below items × shards, and no item is in two parts.
        let bound = |number: usize| items.len() * number / self.of;
        let (start, end) = (bound(self.number - 1), bound(self.number));
        items.truncate(end);
        items.split_off(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_up_the_whole() {
        for of in 1..=12 {
            let parts = (1..=of).flat_map(|number| Shard { number, of }.of((0..10).collect()));
            assert_eq!(parts.collect::<Vec<i32>>(), (0..10).collect::<Vec<_>>());
        }
    }

    #[test]
    fn only_shards_are_shards() {
        assert_eq!("2/6".parse(), Ok(Shard { number: 2, of: 6 }));
        for text in ["0/6", "7/6", "1/0", "1", "a/b", "-1/2", "", "1/2/3"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
