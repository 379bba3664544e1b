//! Bytes as text, both ways.

/// Turns the escapes of a corpus line into bytes: `\r \n \t \0 \s \\ \xHH` and `\*N(text)`, N times the text.
///
/// # Errors
/// What is wrong with the escape, in words.
pub fn decode(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        if *byte == b'\\' {
            rest = escape(tail, &mut out)?;
        } else {
            out.push(*byte);
            rest = tail;
        }
    }
    Ok(out)
}

/// Decodes what follows a backslash; returns the bytes behind it.
fn escape<'a>(rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], String> {
    let (byte, tail) = rest.split_first().ok_or("a lone backslash at the end")?;
    let plain = match byte {
        b'r' => b'\r',
        b'n' => b'\n',
        b't' => b'\t',
        b'0' => 0,
        b's' => b' ',
        b'\\' => b'\\',
        b'x' => {
            let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
            let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            out.push(value.ok_or("\\x wants two hexadecimal digits")?);
            return Ok(&tail[2..]);
        }
        b'*' => return repeat(tail, out),
        other => return Err(format!("unknown escape \\{}", char::from(*other))),
    };
    out.push(plain);
    Ok(tail)
}

fn repeat<'a>(rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], String> {
    let text = std::str::from_utf8(rest).map_err(|_| "a repeat wants text")?;
    let (times, tail) = text.split_once('(').ok_or("a repeat is \\*N(text)")?;
    let (piece, tail) = tail.split_once(')').ok_or("a repeat ends with )")?;
    let times: usize = times.parse().map_err(|_| "a repeat wants a number")?;
    out.extend_from_slice(&decode(piece)?.repeat(times));
    Ok(tail.as_bytes())
}

/// Shows bytes as text: control bytes escaped, a line of output per line of input, runs of one byte shortened.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let run = bytes[at..].iter().take_while(|next| **next == byte).count();
        if run > 40 {
            out.push_str(&format!("\\*{run}({})", show(byte)));
            at += run;
            continue;
        }
        out.push_str(&show(byte));
        if byte == b'\n' {
            out.push('\n');
        }
        at += 1;
    }
    out
}

fn show(byte: u8) -> String {
    match byte {
        b'\r' => "\\r".into(),
        b'\n' => "\\n".into(),
        b'\t' => "\\t".into(),
        b'\\' => "\\\\".into(),
        0x20..=0x7e => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_bytes() {
        assert_eq!(decode(r"a\r\n\x00\0\s\\\*3(ab)z").unwrap(), b"a\r\n\0\0 \\abababz");
    }

    #[test]
    fn broken_escapes_are_named() {
        for text in [r"\", r"\q", r"\x1", r"\*3", r"\*x(a)", r"\*3(a"] {
            assert!(decode(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_long_run_is_shortened() {
        assert_eq!(encode(&[b'a'; 50]), r"\*50(a)");
    }
}
