//! Converts image files to data URLs.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The maximum size of an image file in bytes. No option accepts that much.
const MAX_BYTES: u64 = 1024 * 1024;

/// An image file as a data URL. The media type is detected from the content.
pub(crate) fn data_url(file: &str) -> Result<String, String> {
    let unreadable = |e: std::io::Error| format!("cannot read {file}: {e}");
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    opened.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("{file} is larger than {MAX_BYTES} bytes"));
    }
    let media_type = media_type(&bytes).ok_or_else(|| format!("{file} is not a PNG, JPEG, WebP or SVG image"))?;
    Ok(format!("data:{media_type};base64,{}", STANDARD.encode(bytes)))
}

fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        // SVG has no fixed first bytes: it may begin with a declaration, a comment or a byte order mark.
        _ => std::str::from_utf8(bytes).ok().filter(|text| text.contains("<svg")).map(|_| "image/svg+xml"),
    }
}
