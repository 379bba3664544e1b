//! Protocol Buffers as far as OTLP needs them written. The numbers of fields are those of opentelemetry-proto 1.x.

/// Writes `field` as a length and octets.
pub(super) fn octets(field: u32, value: &[u8], out: &mut Vec<u8>) {
    key(field, 2, out);
    varint(value.len() as u64, out);
    out.extend_from_slice(value);
}

/// The same, where an empty value is not written at all.
pub(super) fn some_octets(field: u32, value: &[u8], out: &mut Vec<u8>) {
    if !value.is_empty() {
        octets(field, value, out);
    }
}

/// Writes a text: what is not UTF-8 becomes U+FFFD, since a receiver refuses the whole message otherwise.
pub(super) fn text(field: u32, value: &[u8], out: &mut Vec<u8>) {
    octets(field, String::from_utf8_lossy(value).as_bytes(), out);
}

pub(super) fn number(field: u32, value: u64, out: &mut Vec<u8>) {
    key(field, 0, out);
    varint(value, out);
}

pub(super) fn fixed64(field: u32, value: u64, out: &mut Vec<u8>) {
    key(field, 1, out);
    out.extend_from_slice(&value.to_le_bytes());
}

pub(super) fn fixed32(field: u32, value: u32, out: &mut Vec<u8>) {
    key(field, 5, out);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Writes a message whose content another function writes.
pub(super) fn message(field: u32, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let mut content = Vec::new();
    write(&mut content);
    octets(field, &content, out);
}

fn key(field: u32, wire_type: u32, out: &mut Vec<u8>) {
    varint(u64::from(field << 3 | wire_type), out);
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
