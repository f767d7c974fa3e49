//! Numbers, uids and names that look random and are the same in every run.

use uuid::Uuid;

/// Spreads a counter over all 64 bits (splitmix64).
pub(super) fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

pub(super) fn uuid_v4(bits: u128) -> Uuid {
    Uuid::from_u128((bits & !(0xf_u128 << 76) & !(0x3_u128 << 62)) | (0x4_u128 << 76) | (0x2_u128 << 62))
}

/// A suffix of the characters that Kubernetes uses in generated names: they form no words.
pub(super) fn suffix(mut bits: u64, length: usize) -> String {
    const SAFE: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut text = String::with_capacity(length);
    for _ in 0..length {
        text.push(char::from(SAFE.get((bits % 27) as usize).copied().unwrap_or(b'x')));
        bits /= 27;
    }
    text
}

/// A short hash of a text, e.g. of a pod template.
pub(super) fn hash(text: &str) -> String {
    let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    suffix(mix(text.bytes().fold(0xcbf2_9ce4_8422_2325, fnv)), 10)
}
