//! Numbers, instants and addresses as text, without the formatting machinery: a record is written per request.

use crate::escape::hex_digit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const DAY_S: u64 = 86_400;
/// The last microsecond of the year 9999: RFC 3339 has four digits for a year.
const LAST_US: u64 = 253_402_300_799_999_999;

/// Writes a number in decimal.
#[inline]
pub(crate) fn decimal(mut value: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        used += 1;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.last_chunk::<20>().map_or(&[], |all| all.split_at(20 - used).1));
}

/// Writes octets as hexadecimal digits.
pub(crate) fn hexadecimal(octets: &[u8], out: &mut Vec<u8>) {
    for octet in octets {
        out.push(hex_digit(u32::from(octet >> 4)));
        out.push(hex_digit(u32::from(octet & 15)));
    }
}

/// Writes an instant, given in microseconds since 1970-01-01 UTC, as RFC 3339 with microseconds.
#[inline]
pub(crate) fn instant_us(time_us: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&rfc3339(time_us));
}

/// Writes an instant as RFC 3339 with milliseconds.
pub(crate) fn instant_ms(time_us: u64, out: &mut Vec<u8>) {
    if let Some((milliseconds, _)) = rfc3339(time_us).split_last_chunk::<4>() {
        out.extend_from_slice(milliseconds);
    }
    out.push(b'Z');
}

/// An instant, given in microseconds since 1970-01-01 UTC, as RFC 3339 with microseconds.
pub fn rfc3339_us(time_us: u64) -> [u8; 27] {
    rfc3339(time_us)
}

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// Writes an instant as the Common Log Format has it: `05/Nov/2025:12:14:56 +0000`.
pub(crate) fn log_time(time_us: u64, out: &mut Vec<u8>) {
    let seconds = time_us.min(LAST_US) / 1_000_000;
    let (year, month, day) = civil(seconds / DAY_S);
    let of_day = seconds % DAY_S;
    out.extend_from_slice(&pair(day));
    out.push(b'/');
    let place = usize::try_from(month.saturating_sub(1)).unwrap_or(0);
    out.extend_from_slice(MONTHS.get(place).map_or(&b"Jan"[..], |name| *name));
    out.push(b'/');
    decimal(year, out);
    for part in [of_day / 3600, of_day / 60 % 60, of_day % 60] {
        out.push(b':');
        out.extend_from_slice(&pair(part));
    }
    out.extend_from_slice(b" +0000");
}

fn rfc3339(time_us: u64) -> [u8; 27] {
    let time_us = time_us.min(LAST_US);
    let (seconds, us) = (time_us / 1_000_000, time_us % 1_000_000);
    let (days, of_day) = (seconds / DAY_S, seconds % DAY_S);
    let (year, month, day) = civil(days);
    let ([y1, y2], [y3, y4]) = (pair(year / 100), pair(year % 100));
    let ([mo1, mo2], [d1, d2]) = (pair(month), pair(day));
    let ([h1, h2], [m1, m2], [s1, s2]) = (pair(of_day / 3600), pair(of_day / 60 % 60), pair(of_day % 60));
    let ([u1, u2], [u3, u4], [u5, u6]) = (pair(us / 10_000), pair(us / 100 % 100), pair(us % 100));
    [
        y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', m1, m2, b':', s1, s2, b'.', u1, u2, u3, u4,
        u5, u6, b'Z',
    ]
}

/// Year, month and day of a number of days since 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from March here, so that the leap day is the last of its year and months have lengths that one
/// linear expression gives.
fn civil(days: u64) -> (u64, u64, u64) {
    let since_march_of_year_0 = days + 719_468;
    let (era, day_of_era) = (since_march_of_year_0 / 146_097, since_march_of_year_0 % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// Two digits of a number below 100.
fn pair(value: u64) -> [u8; 2] {
    [b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]
}

/// Writes an address; an IPv4 address that comes in IPv6's clothes as what it is.
#[inline]
pub(crate) fn address(address: IpAddr, out: &mut Vec<u8>) {
    match address.to_canonical() {
        IpAddr::V4(address) => ipv4(address, out),
        IpAddr::V6(address) => ipv6(address, out),
    }
}

fn ipv4(address: Ipv4Addr, out: &mut Vec<u8>) {
    let [a, b, c, d] = address.octets();
    octet(a, out);
    for part in [b, c, d] {
        out.push(b'.');
        octet(part, out);
    }
}

fn octet(value: u8, out: &mut Vec<u8>) {
    let [_, ones] = pair(value.into());
    let [hundreds, tens] = pair((value / 10).into());
    match value {
        0..10 => out.push(ones),
        10..100 => out.extend_from_slice(&[tens, ones]),
        _ => out.extend_from_slice(&[hundreds, tens, ones]),
    }
}

/// The recommended text of RFC 5952 §4: lower case, no leading zeros, the first longest run of zeros left out.
fn ipv6(address: Ipv6Addr, out: &mut Vec<u8>) {
    let segments = address.segments();
    let (from, to) = longest_zeros(&segments);
    for (place, &segment) in segments.iter().enumerate() {
        if place == from {
            out.extend_from_slice(b"::");
        }
        if (from..to).contains(&place) {
            continue;
        }
        if place > 0 && place != to {
            out.push(b':');
        }
        segment_hex(segment, out);
    }
}

/// The first longest run of two or more zero segments as a half-open range; past the end when there is none.
fn longest_zeros(segments: &[u16; 8]) -> (usize, usize) {
    let (mut best, mut begun) = ((8, 9), 0);
    let mut length = 1;
    for (place, &segment) in segments.iter().enumerate() {
        if segment != 0 {
            begun = place + 1;
        } else if place + 1 - begun > length {
            length = place + 1 - begun;
            best = (begun, place + 1);
        }
    }
    best
}

fn segment_hex(segment: u16, out: &mut Vec<u8>) {
    for shift in [12, 8, 4] {
        if segment >> shift != 0 {
            out.push(hex_digit(u32::from(segment >> shift)));
        }
    }
    out.push(hex_digit(segment.into()));
}

#[cfg(test)]
mod tests {
    use super::{address, civil, decimal, instant_ms, instant_us};
    use proptest::prelude::*;
    use std::net::{IpAddr, Ipv6Addr};

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn instants_are_rfc_3339() {
        for (us, expected) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400_000_001, "2000-02-29T00:00:00.000001Z"),
            (1_762_344_896_789_012, "2025-11-05T12:14:56.789012Z"),
            (4_107_542_399_999_999, "2100-02-28T23:59:59.999999Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
            (u64::MAX, "9999-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(text(|out| instant_us(us, out)), expected);
        }
        assert_eq!(text(|out| instant_ms(951_782_400_123_987, out)), "2000-02-29T00:00:00.123Z");
    }

    #[test]
    fn every_day_of_six_centuries_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..220_000 {
            assert_eq!(civil(days), (year, month, day));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1];
            (day, month) = if day == length { (1, month + 1) } else { (day + 1, month) };
            (month, year) = if month == 13 { (1, year + 1) } else { (month, year) };
        }
    }

    #[test]
    fn ipv6_is_written_as_the_standard_library_does() {
        for written in ["::", "::1", "1::", "2001:db8::1", "1:0:0:2:0:0:0:3", "1:0:2:3:4:5:6:7", "fe80::ab:0:0:1"] {
            let parsed: IpAddr = written.parse().unwrap();
            assert_eq!(text(|out| address(parsed, out)), parsed.to_string());
        }
        assert_eq!(text(|out| address("::ffff:192.0.2.1".parse().unwrap(), out)), "192.0.2.1");
    }

    proptest! {
        #[test]
        fn numbers(value: u64) {
            prop_assert_eq!(text(|out| decimal(value, out)), value.to_string());
        }

        #[test]
        fn addresses(v4: [u8; 4], mut segments: [u16; 8], zeros: u8) {
            for (place, segment) in segments.iter_mut().enumerate() {
                if zeros >> place & 1 == 1 {
                    *segment = 0;
                }
            }
            let v6 = IpAddr::from(Ipv6Addr::from(segments)).to_canonical();
            prop_assert_eq!(text(|out| address(v6, out)), v6.to_string());
            prop_assert_eq!(text(|out| address(v4.into(), out)), IpAddr::from(v4).to_string());
        }
    }
}
