//! From text to tokens.

use crate::error::{Error, Span};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Name(String),
    Int(u64),
    Uint(u64),
    Double(f64),
    /// Nanoseconds.
    Duration(i64),
    Text(Vec<u8>),
    Bytes(Vec<u8>),
    /// An operator or bracket.
    Sign(&'static str),
    End,
}

/// Longer ones first.
const SIGNS: [&str; 26] = [
    "&&", "||", "==", "!=", "<=", ">=", "(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "+", "-", "*", "/", "%", "!",
    "<", ">", "=", "&",
];

pub(crate) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        loop {
            self.take_while(|c| c.is_ascii_whitespace());
            if !self.rest().starts_with("//") {
                return;
            }
            self.take_while(|c| c != '\n');
        }
    }

    pub(crate) fn next(&mut self) -> Result<(Token, Span), Error> {
        self.skip_blanks();
        let start = self.at;
        let token = match self.rest().chars().next() {
            None => Token::End,
            Some(c) if c.is_ascii_digit() => self.number()?,
            Some('.') if self.rest().chars().nth(1).is_some_and(|c| c.is_ascii_digit()) => self.number()?,
            Some('\'' | '"') => Token::Text(self.text_literal(false, false)?),
            Some(c) if c.is_ascii_alphabetic() || c == '_' => self.name_or_prefixed_text()?,
            Some(_) => self.sign()?,
        };
        Ok((token, Span::new(start, self.at)))
    }

    fn sign(&mut self) -> Result<Token, Error> {
        let found = SIGNS.iter().find(|sign| self.rest().starts_with(**sign)).copied();
        let character = self.rest().chars().next().unwrap_or_default();
        let span = Span::new(self.at, self.at + found.map_or(character.len_utf8(), str::len));
        match found {
            Some("=") => Err(Error::new(span, "`=` is no operator").label("assigns nothing").replace(span, "==")),
            Some("&") => Err(Error::new(span, "`&` is no operator").replace(span, "&&")),
            Some(sign) => {
                self.at += sign.len();
                Ok(Token::Sign(sign))
            }
            None if character == '|' => Err(Error::new(span, "`|` is no operator").replace(span, "||")),
            None => Err(Error::new(span, format!("`{character}` has no meaning here"))),
        }
    }

    /// Words may begin a text: `r'…'`, `b'…'`.
    fn name_or_prefixed_text(&mut self) -> Result<Token, Error> {
        let rest = self.rest();
        let letters = rest.find(['\'', '"']).and_then(|at| rest.get(..at)).unwrap_or_default();
        let (raw, bytes) = match letters {
            "r" | "R" => (true, false),
            "b" | "B" => (false, true),
            "rb" | "Rb" | "rB" | "RB" | "br" | "bR" | "Br" | "BR" => (true, true),
            _ => return Ok(Token::Name(self.take_while(|c| c.is_ascii_alphanumeric() || c == '_').to_owned())),
        };
        self.at += letters.len();
        let value = self.text_literal(raw, bytes)?;
        Ok(if bytes { Token::Bytes(value) } else { Token::Text(value) })
    }

    fn number(&mut self) -> Result<Token, Error> {
        let start = self.at;
        if self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            self.at += 2;
            let digits = self.take_while(|c| c.is_ascii_hexdigit());
            return self.whole(start, u64::from_str_radix(digits, 16).ok());
        }
        let mut digits = self.take_while(|c| c.is_ascii_digit()).to_owned();
        let mut is_double = false;
        if self.rest().starts_with('.') && self.rest().chars().nth(1).is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
            digits = format!("{digits}.{}", self.take_while(|c| c.is_ascii_digit()));
            is_double = true;
        }
        if let Some(exponent) = self.exponent() {
            digits.push_str(exponent);
            is_double = true;
        }
        if let Some(nanoseconds) = self.unit() {
            return self.duration(start, &digits, nanoseconds);
        }
        if is_double {
            return Ok(Token::Double(digits.parse().unwrap_or(f64::INFINITY)));
        }
        self.whole(start, digits.parse().ok())
    }

    fn exponent(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        let behind = rest.strip_prefix(['e', 'E'])?;
        let digits = behind.strip_prefix(['+', '-']).unwrap_or(behind);
        let length = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        if length == 0 {
            return None;
        }
        let whole = rest.len() - digits.len() + length;
        self.at += whole;
        rest.get(..whole)
    }

    /// The unit of a duration, in nanoseconds; `u` is no unit.
    fn unit(&mut self) -> Option<f64> {
        let word: &str = self.rest();
        let end = word.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(word.len());
        let word = word.get(..end)?;
        let nanoseconds = unit_nanoseconds(word)?;
        self.at += word.len();
        Some(nanoseconds)
    }

    fn duration(&self, start: usize, digits: &str, unit: f64) -> Result<Token, Error> {
        let nanoseconds = digits.parse::<f64>().unwrap_or(f64::INFINITY) * unit;
        #[allow(clippy::cast_possible_truncation, reason = "the bound is below i64::MAX")]
        if nanoseconds < 9.0e18 {
            return Ok(Token::Duration(nanoseconds.round() as i64));
        }
        Err(Error::new(Span::new(start, self.at), "a duration is at most 292 years"))
    }

    fn whole(&mut self, start: usize, value: Option<u64>) -> Result<Token, Error> {
        let unsigned = self.rest().starts_with(['u', 'U']);
        if unsigned {
            self.at += 1;
        }
        let junk = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        let span = Span::new(start, self.at);
        if !junk.is_empty() {
            let error = Error::new(span, "this is no number");
            return Err(error.label("letters behind digits").hint("units are ms, s, m, h, d; a text needs quotes"));
        }
        let value = value.ok_or_else(|| Error::new(span, "a number is too large"))?;
        Ok(if unsigned { Token::Uint(value) } else { Token::Int(value) })
    }

    fn text_literal(&mut self, raw: bool, bytes: bool) -> Result<Vec<u8>, Error> {
        let start = self.at;
        let rest = self.rest();
        let quote = ["'''", "\"\"\"", "'", "\""].into_iter().find(|quote| rest.starts_with(quote)).unwrap_or("'");
        self.at += quote.len();
        let mut value = Vec::new();
        loop {
            if self.rest().starts_with(quote) {
                self.at += quote.len();
                return Ok(value);
            }
            match self.rest().chars().next() {
                Some('\\') if !raw => self.escape(bytes, &mut value)?,
                Some('\n') if quote.len() == 1 => return Err(self.unclosed(start, quote)),
                Some(c) => {
                    self.at += c.len_utf8();
                    value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                None => return Err(self.unclosed(start, quote)),
            }
        }
    }

    fn unclosed(&self, start: usize, quote: &str) -> Error {
        let end = Span::new(self.text.len(), self.text.len());
        let error = Error::new(Span::new(start, start + quote.len()), "a quote is never closed").label("opened here");
        error.replace_saying(format!("add {quote} at the end"), end, quote)
    }

    fn escape(&mut self, bytes: bool, value: &mut Vec<u8>) -> Result<(), Error> {
        let start = self.at;
        let mut characters = self.rest().chars();
        characters.next();
        let letter = characters.next().unwrap_or(' ');
        let simple = match letter {
            'a' => Some(7),
            'b' => Some(8),
            'f' => Some(12),
            'n' => Some(b'\n'),
            'r' => Some(b'\r'),
            't' => Some(b'\t'),
            'v' => Some(11),
            '\\' | '?' | '"' | '\'' | '`' => u8::try_from(letter).ok(),
            _ => None,
        };
        if let Some(byte) = simple {
            self.at += 2;
            value.push(byte);
            return Ok(());
        }
        let (skip, digits, radix) = match letter {
            'x' | 'X' => (2, 2, 16),
            'u' => (2, 4, 16),
            'U' => (2, 8, 16),
            '0'..='3' => (1, 3, 8),
            _ => (2, 0, 16),
        };
        let text = self.rest().get(skip..skip + digits).unwrap_or_default();
        self.at = (start + skip + digits).min(self.text.len());
        let code = u32::from_str_radix(text, radix).ok().filter(|_| !text.starts_with('+'));
        let wrong = || {
            let width = if digits == 0 { 1 + letter.len_utf8() } else { skip + digits };
            let span = Span::new(start, (start + width).min(self.text.len()));
            let error = Error::new(span, "this is no escape");
            error.hint("write `\\\\` for a backslash, or r'…' for a text without escapes")
        };
        match code {
            Some(code) if bytes && digits < 4 => value.push(u8::try_from(code).map_err(|_| wrong())?),
            Some(code) => {
                let character = char::from_u32(code).ok_or_else(wrong)?;
                value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            None => return Err(wrong()),
        }
        Ok(())
    }
}

/// Nanoseconds of a unit of time.
pub(crate) fn unit_nanoseconds(word: &str) -> Option<f64> {
    Some(match word {
        "ns" => 1.0,
        "us" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3_600e9,
        "d" => 86_400e9,
        _ => return None,
    })
}
