//! `http.bearer`, `http.basic`: how a call says who makes it.

use super::{Arguments, unknown};
use crate::library::Operation;
use crate::value::Value;
use crate::vm::problem::Result;
use ecow::eco_format;

pub(super) fn perform(operation: Operation, arguments: Arguments<'_>) -> Result<Value> {
    Ok(Value::Text(match operation {
        Operation::HttpBearer => eco_format!("Bearer {}", arguments.text(0)),
        Operation::HttpBasic => {
            let (user, password) = (arguments.text(0), arguments.text(1));
            eco_format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
        }
        other => return unknown(other),
    }))
}

/// Bytes as text (RFC 4648, with `=` at the end).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let three = chunk.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = LETTERS[(three >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn bytes_become_the_letters_of_rfc_4648() {
        let texts = ["", "f", "fo", "foo", "foob", "fooba", "foobar", "\u{ff}\u{fe}"];
        let coded = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy", "w7/Dvg=="];
        assert_eq!(texts.map(|text| base64(text.as_bytes())), coded);
    }
}
