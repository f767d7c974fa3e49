//! Contents that are the same for everybody: compressed once, and not at each request.

use std::io::Write as _;
use std::sync::{Arc, OnceLock};

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue};

/// Marks an answer that the layers must not compress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AsItIs;

/// A content with its media type. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Packed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    media_type: HeaderValue,
    plain: Bytes,
    /// Made at the first request; `None` if it is not smaller.
    gzip: OnceLock<Option<Bytes>>,
}

impl Packed {
    pub(crate) fn new(media_type: HeaderValue, plain: Bytes) -> Self {
        Packed(Arc::new(Inner { media_type, plain, gzip: OnceLock::new() }))
    }

    /// The answer to a request with these headers.
    pub(crate) fn answer(&self, headers: &HeaderMap) -> Response {
        let Inner { media_type, plain, gzip } = &*self.0;
        let gzip = gzip.get_or_init(|| compressed(plain)).as_ref().filter(|_| accepts_gzip(headers));
        let mut response = gzip.unwrap_or(plain).clone().into_response();
        response.extensions_mut().insert(AsItIs);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, media_type.clone());
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if gzip.is_some() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

fn compressed(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail.
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().filter(|packed| packed.len() < plain.len()).map(Bytes::from)
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, parameter) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = parameter.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_those_who_accept_it() {
        let accepts = |value: &'static str| {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            accepts_gzip(&headers)
        };
        for value in ["gzip", "br, GZIP;q=0.5", "gzip ; q=1"] {
            assert!(accepts(value), "{value}");
        }
        for value in ["", "identity", "zstd", "gzip;q=0", "gzip; q=0.000", "xgzip"] {
            assert!(!accepts(value), "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn it_is_compressed_once() {
        let packed = Packed::new(HeaderValue::from_static("text/plain"), Bytes::from("x".repeat(10_000)));
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))]);
        let inner = |packed: &Packed| packed.0.gzip.get().cloned().flatten().map(|bytes| bytes.as_ptr());
        assert_eq!(packed.answer(&headers).headers()[CONTENT_ENCODING], "gzip");
        let first = inner(&packed);
        packed.clone().answer(&headers);
        assert!(first.is_some() && inner(&packed) == first);
    }
}
