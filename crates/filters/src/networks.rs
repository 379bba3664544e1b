//! Sets of addresses, found in logarithmic time whatever their number.

use std::net::IpAddr;

/// Addresses, as sorted ranges that do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks {
    v4: Box<[(u32, u32)]>,
    v6: Box<[(u128, u128)]>,
}

impl Networks {
    /// The addresses of these networks: an address, and how many of its leading bits count.
    pub fn new(networks: impl IntoIterator<Item = (IpAddr, u8)>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (address, bits) in networks {
            match address {
                IpAddr::V4(address) => {
                    let mask = u32::MAX.checked_shr(bits.into()).unwrap_or(0);
                    let first = u32::from(address) & !mask;
                    v4.push((first, first | mask));
                }
                IpAddr::V6(address) => {
                    let mask = u128::MAX.checked_shr(bits.into()).unwrap_or(0);
                    let first = u128::from(address) & !mask;
                    v6.push((first, first | mask));
                }
            }
        }
        let v4 = united(v4, |last| last.checked_add(1));
        Self { v4, v6: united(v6, |last| last.checked_add(1)) }
    }

    /// Whether an address is one of them. An IPv4 address in IPv6's clothes counts as what it is.
    #[inline]
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => within(&self.v4, u32::from(address)),
            IpAddr::V6(address) => within(&self.v6, u128::from(address)),
        }
    }

    /// How many ranges there are.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether there is no address.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn within<T: Ord + Copy>(ranges: &[(T, T)], address: T) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= address);
    after.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|(_, last)| address <= *last)
}

/// Sorted, and those that touch made one.
fn united<T: Ord + Copy>(mut ranges: Vec<(T, T)>, next: impl Fn(T) -> Option<T>) -> Box<[(T, T)]> {
    ranges.sort_unstable();
    let mut united: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match united.last_mut() {
            Some((_, end)) if next(*end).is_none_or(|next| first <= next) => *end = last.max(*end),
            _ => united.push((first, last)),
        }
    }
    united.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::Networks;

    #[test]
    fn ranges_that_touch_are_one_and_their_ends_belong_to_them() {
        let networks =
            ["10.0.0.0/9", "10.128.0.0/9", "192.0.2.7/32", "2001:db8::/32", "0.0.0.0/32", "255.255.255.255/32"];
        let networks = networks.map(|text| {
            let (address, bits) = text.split_once('/').unwrap();
            (address.parse().unwrap(), bits.parse().unwrap())
        });
        let networks = Networks::new(networks);
        assert_eq!(networks.len(), 5);
        for (address, is) in [
            ("10.0.0.0", true),
            ("10.255.255.255", true),
            ("11.0.0.0", false),
            ("9.255.255.255", false),
            ("192.0.2.7", true),
            ("::ffff:192.0.2.7", true),
            ("192.0.2.8", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::", false),
            ("0.0.0.0", true),
            ("0.0.0.1", false),
            ("255.255.255.255", true),
        ] {
            assert_eq!(networks.contains(address.parse().unwrap()), is, "{address}");
        }
    }

    #[test]
    fn everything_and_nothing() {
        let all = Networks::new([("0.0.0.0".parse().unwrap(), 0), ("::".parse().unwrap(), 0)]);
        assert!(all.contains("203.0.113.1".parse().unwrap()) && all.contains("::1".parse().unwrap()));
        assert!(!Networks::default().contains("203.0.113.1".parse().unwrap()));
    }
}
