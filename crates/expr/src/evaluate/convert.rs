//! From one type to another.

use crate::error::FailureKind;
use crate::node::Function;
use crate::value::Value;
use ipnet::IpNet;
use std::borrow::Cow;
use std::net::IpAddr;

/// Converts a value as `string(…)`, `int(…)` and their like do.
pub(super) fn convert<'v>(function: Function, value: Value<'v>) -> Result<Value<'v>, FailureKind> {
    match function {
        Function::ToText => to_text(value),
        Function::ToInt => to_int(&value).map(Value::Int),
        Function::ToUint => to_uint(&value).map(Value::Uint),
        Function::ToDouble => to_double(&value).map(Value::Double),
        _ => from_text(function, &value),
    }
}

fn to_text(value: Value<'_>) -> Result<Value<'_>, FailureKind> {
    if let Value::Text(_) = value {
        return Ok(value);
    }
    let mut text = Vec::new();
    let has_text = !matches!(value, Value::Json(_)) && value.write_text(&mut text);
    if !has_text {
        return Err(FailureKind::Kind);
    }
    Ok(Value::Text(Cow::Owned(text)))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "bounds are compared before")]
fn to_int(value: &Value<'_>) -> Result<i64, FailureKind> {
    match value {
        Value::Int(number) => Ok(*number),
        Value::Uint(number) => i64::try_from(*number).map_err(|_| FailureKind::Overflow),
        Value::Double(number) if number.abs() < i64::MAX as f64 => Ok(*number as i64),
        Value::Double(_) => Err(FailureKind::Overflow),
        Value::Text(text) => text_of(text)?.parse().map_err(|_| FailureKind::Form),
        _ => Err(FailureKind::Kind),
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "bounds are compared before"
)]
fn to_uint(value: &Value<'_>) -> Result<u64, FailureKind> {
    match value {
        Value::Uint(number) => Ok(*number),
        Value::Int(number) => u64::try_from(*number).map_err(|_| FailureKind::Overflow),
        Value::Double(number) if *number >= 0.0 && *number < u64::MAX as f64 => Ok(*number as u64),
        Value::Double(_) => Err(FailureKind::Overflow),
        Value::Text(text) => text_of(text)?.parse().map_err(|_| FailureKind::Form),
        _ => Err(FailureKind::Kind),
    }
}

#[allow(clippy::cast_precision_loss, reason = "that is what CEL does")]
fn to_double(value: &Value<'_>) -> Result<f64, FailureKind> {
    match value {
        Value::Double(number) => Ok(*number),
        Value::Int(number) => Ok(*number as f64),
        Value::Uint(number) => Ok(*number as f64),
        Value::Text(text) => text_of(text)?.parse().map_err(|_| FailureKind::Form),
        _ => Err(FailureKind::Kind),
    }
}

fn from_text<'v>(function: Function, value: &Value<'_>) -> Result<Value<'v>, FailureKind> {
    let Value::Text(text) = value else { return Err(FailureKind::Kind) };
    let text = text_of(text)?;
    let converted = match function {
        Function::ToDuration => parse_duration(text).map(Value::Duration),
        Function::ToAddress => text.parse().ok().map(Value::Address),
        _ => parse_network(text).map(Value::Network),
    };
    converted.ok_or(FailureKind::Form)
}

fn text_of(text: &[u8]) -> Result<&str, FailureKind> {
    std::str::from_utf8(text).map_err(|_| FailureKind::Form)
}

pub(super) fn parse_address(text: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(text).ok()?.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// A network, or an address that stands for itself.
pub(crate) fn parse_network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// `1h30m`, `1.5s`, `-2m`, in nanoseconds.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
    if rest.is_empty() || rest.len() > 64 {
        return None;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| c != '.' && !c.is_ascii_digit())?;
        let (number, behind) = rest.split_at_checked(unit_at)?;
        let unit_end = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, next) = behind.split_at_checked(unit_end)?;
        total += number.parse::<f64>().ok()? * crate::lex::unit_nanoseconds(unit)?;
        rest = next;
    }
    #[allow(clippy::cast_possible_truncation, reason = "the bound is below i64::MAX")]
    (total < 9.0e18).then_some((total * sign).round() as i64)
}
