//! Amounts as Kubernetes writes them: `500m`, `1Gi`, `0.5`, `1e3`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A billionth is the finest step a quantity has.
const NANOS: u128 = 1_000_000_000;
/// Kubernetes' arithmetic is exact up to the largest signed 64-bit number.
const MOST: u128 = i64::MAX as u128 * NANOS;

/// An amount of something, never negative, in the form in which the API server stores it.
///
/// The API server rewrites what it is sent: `1000m` becomes `1`, `0.5` becomes `500m`, `1024Mi` becomes `1Gi`. What
/// urumi renders is later compared with what is stored, so it must have that form from the start. Two quantities are
/// equal when their amounts are, whatever their suffixes.
#[derive(Clone)]
pub struct Quantity {
    nanos: u128,
    format: Format,
    text: String,
}

/// Which family of suffixes a quantity was written with; Kubernetes keeps to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    /// `n u m k M G T P E`, or none.
    Decimal,
    /// `Ki Mi Gi Ti Pi Ei`.
    Binary,
    /// `e3`.
    Exponent,
}

const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

impl Quantity {
    /// Reads a quantity.
    ///
    /// # Errors
    /// When it is none, is negative, or has more digits than Kubernetes keeps.
    pub fn parse(text: &str) -> Result<Self, String> {
        let malformed =
            || format!("{text:?} is not a quantity; write a number with a unit, e.g. 500m, 2, 512Mi or 5Gi");
        if text.len() > 64 {
            return Err("is not a quantity: it has more than 64 characters".into());
        }
        if text.starts_with('-') {
            return Err(format!("{text:?} must not be negative"));
        }
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let (number, suffix) = text.split_at_checked(end).ok_or_else(malformed)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(malformed());
        }
        let (format, binary, exponent) = parse_suffix(suffix).ok_or_else(malformed)?;

        let fraction = fraction.trim_end_matches('0');
        let digits = format!("{whole}{fraction}");
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Ok(Quantity::new(0, format));
        }
        let too_large = || format!("{text:?} is too large");
        let too_fine = || format!("{text:?} is finer than a billionth");
        let mut nanos: u128 = digits.parse().map_err(|_| too_large())?;
        nanos = nanos.checked_mul(1 << (10 * binary)).ok_or_else(too_large)?;
        let places = i32::try_from(fraction.len()).map_err(|_| too_fine())?;
        let mut scale = 9 + exponent - places;
        while scale > 0 {
            nanos = nanos.checked_mul(10).ok_or_else(too_large)?;
            scale -= 1;
        }
        while scale < 0 {
            if !nanos.is_multiple_of(10) {
                return Err(too_fine());
            }
            nanos /= 10;
            scale += 1;
        }
        if nanos > MOST {
            return Err(too_large());
        }
        Ok(Quantity::new(nanos, format))
    }

    fn new(nanos: u128, format: Format) -> Self {
        Quantity { nanos, format, text: canonical(nanos, format) }
    }

    /// So many whole units.
    pub fn of(units: u32) -> Self {
        Quantity::new(u128::from(units) * NANOS, Format::Decimal)
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        self.nanos == 0
    }

    /// Whether it is a multiple of a thousandth, the finest step that Kubernetes keeps of a container's CPU.
    pub fn is_whole_millis(&self) -> bool {
        self.nanos.is_multiple_of(NANOS / 1000)
    }

    /// The amount, if it is a whole number.
    pub fn whole(&self) -> Option<u64> {
        if self.nanos.is_multiple_of(NANOS) { u64::try_from(self.nanos / NANOS).ok() } else { None }
    }

    /// The sum of two quantities, in the first one's units; what is beyond Kubernetes' range is cut off.
    #[must_use]
    pub fn plus(&self, other: &Quantity) -> Self {
        Quantity::new(self.nanos.saturating_add(other.nanos).min(MOST), self.format)
    }

    /// So many times the quantity; what is beyond Kubernetes' range is cut off.
    #[must_use]
    pub fn times(&self, factor: u32) -> Self {
        Quantity::new(self.nanos.saturating_mul(u128::from(factor)).min(MOST), self.format)
    }

    /// The quantity as the generated types have it.
    pub fn to_api(&self) -> ApiQuantity {
        ApiQuantity(self.text.clone())
    }
}

/// The family of a suffix, its power of 1024 and its power of ten.
fn parse_suffix(suffix: &str) -> Option<(Format, u32, i32)> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(s, _)| *s == suffix) {
        return Some((Format::Decimal, 0, *exponent));
    }
    if let Some(power) = BINARY.iter().position(|s| *s == suffix) {
        return Some((Format::Binary, u32::try_from(power).ok()?, 0));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((Format::Exponent, 0, exponent.parse().ok()?))
}

/// No precision lost, no fraction, the suffix as large as possible.
fn canonical(nanos: u128, format: Format) -> String {
    if nanos == 0 {
        return "0".into();
    }
    // Kubernetes writes binary amounts below 1024, and those that are not whole, with decimal suffixes.
    if format == Format::Binary && nanos.is_multiple_of(NANOS) && nanos / NANOS >= 1024 {
        let mut amount = nanos / NANOS;
        let mut suffix = "";
        for next in BINARY.iter().skip(1) {
            if !amount.is_multiple_of(1024) {
                break;
            }
            amount /= 1024;
            suffix = next;
        }
        return format!("{amount}{suffix}");
    }
    let (mut amount, mut exponent) = (nanos, -9_i32);
    while amount.is_multiple_of(1000) {
        amount /= 1000;
        exponent += 3;
    }
    match DECIMAL.iter().find(|(_, e)| *e == exponent) {
        Some((suffix, _)) if format != Format::Exponent || exponent == 0 => format!("{amount}{suffix}"),
        _ => format!("{amount}e{exponent}"),
    }
}

impl FromStr for Quantity {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Quantity::parse(text)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quantity({})", self.text)
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}
impl Eq for Quantity {}
impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    /// Takes text, and plain numbers too, because YAML makes numbers of `cpu: 2` and `cpu: 0.5`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Quantity;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quantity, e.g. \"500m\" or \"1Gi\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Quantity, E> {
                Quantity::parse(text).map_err(E::custom)
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Quantity, E> {
                self.visit_str(&number.to_string())
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Quantity, E> {
                self.visit_str(&number.to_string())
            }
            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Quantity, E> {
                if number.is_finite() {
                    self.visit_str(&number.to_string())
                } else {
                    Err(E::custom("is not a quantity"))
                }
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Quantity".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,3})?$",
            "examples": ["500m", "2", "512Mi", "5Gi"],
        })
    }
    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What `resource.ParseQuantity` of Kubernetes 1.37 makes of each.
    #[test]
    fn the_canonical_form_is_that_of_the_api_server() {
        for (written, stored) in [
            ("0", "0"),
            ("0.0Gi", "0"),
            ("1000m", "1"),
            ("0.5", "500m"),
            (".5", "500m"),
            ("1.", "1"),
            ("1.5", "1500m"),
            ("250m", "250m"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("1000Ki", "1000Ki"),
            ("1024", "1024"),
            ("1000", "1k"),
            ("1500", "1500"),
            ("100M", "100M"),
            ("1000M", "1G"),
            ("0.5Ki", "512"),
            ("0.1Ki", "102400m"),
            ("1Ki", "1Ki"),
            ("1023Ki", "1023Ki"),
            ("1e3", "1e3"),
            ("12E2", "1200"),
            ("500e-3", "500e-3"),
            ("1e1", "10"),
            ("1E", "1E"),
            ("1n", "1n"),
            ("1000n", "1u"),
            ("0100m", "100m"),
            ("2Ei", "2Ei"),
        ] {
            let quantity = Quantity::parse(written).unwrap();
            assert_eq!(quantity.as_str(), stored, "{written}");
            assert_eq!(Quantity::parse(stored).unwrap().as_str(), stored, "{stored} is a fixed point");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for (text, words) in [
            ("", "not a quantity"),
            (".", "not a quantity"),
            ("Gi", "not a quantity"),
            ("1.2.3", "not a quantity"),
            ("1 Gi", "not a quantity"),
            (" 1", "not a quantity"),
            ("1gi", "not a quantity"),
            ("1GB", "not a quantity"),
            ("1K", "not a quantity"),
            ("1ki", "not a quantity"),
            ("+1", "not a quantity"),
            ("1e", "not a quantity"),
            ("1e+-3", "not a quantity"),
            ("1e3.5", "not a quantity"),
            ("ten", "not a quantity"),
            ("-1", "negative"),
            ("-0.5Gi", "negative"),
            ("8Ei", "too large"),
            ("1e19", "too large"),
            ("1e999", "too large"),
            ("99999999999999999999999999999999999999999", "too large"),
            ("0.1n", "billionth"),
            ("1e-10", "billionth"),
        ] {
            let message = Quantity::parse(text).unwrap_err();
            assert!(message.contains(words), "{text:?}: {message}");
        }
        assert!(Quantity::parse(&"0".repeat(65)).is_err());
    }

    #[test]
    fn amounts_are_compared_and_added_whatever_their_units() {
        let q = |text| Quantity::parse(text).unwrap();
        assert_eq!(q("1024Mi"), q("1Gi"));
        assert_eq!(q("1Ki"), q("1024"));
        assert!(q("1G") < q("1Gi"));
        assert!(q("999m") < q("1"));
        assert_eq!(q("750m").plus(&q("0.25")).as_str(), "1");
        assert_eq!(q("512Mi").times(4).as_str(), "2Gi");
        assert_eq!(q("1.5").whole(), None);
        assert_eq!(q("1Ki").whole(), Some(1024));
        assert!(!q("1u").is_whole_millis());
        assert_eq!(Quantity::of(3).as_str(), "3");
    }

    #[test]
    fn numbers_are_taken_as_yaml_writes_them() {
        let read = |json: &str| serde_json::from_str::<Quantity>(json).map(|q| q.to_string());
        assert_eq!(read("2").unwrap(), "2");
        assert_eq!(read("0.5").unwrap(), "500m");
        assert!(read("-1").unwrap_err().to_string().contains("negative"));
        assert!(read("true").unwrap_err().to_string().contains("expected a quantity"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,70}") {
            let _ = Quantity::parse(&text);
        }

        #[test]
        fn the_canonical_form_keeps_the_amount_and_is_a_fixed_point(
            text in r"[0-9]{1,8}(\.[0-9]{0,6})?([numkMGT]|[KMGT]i|e[0-3]|E-[0-3])?"
        ) {
            if let Ok(quantity) = Quantity::parse(&text) {
                let again = Quantity::parse(quantity.as_str()).unwrap();
                prop_assert_eq!(&again, &quantity);
                prop_assert_eq!(again.as_str(), quantity.as_str());
                let json = serde_json::to_string(&quantity).unwrap();
                let read: Quantity = serde_json::from_str(&json).unwrap();
                prop_assert_eq!(read.as_str(), quantity.as_str());
            }
        }

        #[test]
        fn amounts_are_ordered_as_their_numbers(a in 0_u32..u32::MAX, b in 0_u32..u32::MAX) {
            prop_assert_eq!(Quantity::of(a).cmp(&Quantity::of(b)), a.cmp(&b));
        }
    }
}
