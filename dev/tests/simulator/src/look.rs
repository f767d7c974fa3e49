//! What a store looks like: the options of the small engine, all of which every change sets.

use serde_json::{Value, json};
use urumi_core::store::Options;

/// The image of the web workload.
const IMAGE: &str = "example.com/web:1";
/// An image that cannot be pulled.
const NO_IMAGE: &str = "fail.example/image-pull:1";

/// What a store looks like. By default it is as it is created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Look {
    /// The number of its colour; no two changes of a store have the same.
    pub colour: u32,
    /// Whether it has one more object.
    pub extra: bool,
    /// Whether it has an image that cannot be pulled.
    pub broken: bool,
}

/// The seal of a colour: both are set together, so that a mix of two changes shows.
fn seal(colour: &str) -> String {
    format!("{colour}, sealed")
}

impl Look {
    /// The options in force.
    pub fn options(self) -> Options {
        let colour = format!("colour {}", self.colour);
        let image = if self.broken { NO_IMAGE } else { IMAGE };
        let all = [
            ("colour", json!(colour)),
            ("seal", json!(seal(&colour))),
            ("extra", json!(self.extra)),
            ("image", json!(image)),
        ];
        all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The options that the request has chosen: none in the beginning.
    pub(crate) fn request(self) -> Options {
        if self == Look::default() { Options::new() } else { self.options() }
    }

    /// The change that makes a store look like this, whatever it was like before.
    pub(crate) fn change(self) -> Options {
        let mut options = self.options();
        if self == Look::default() {
            options.values_mut().for_each(|value| *value = Value::Null);
        }
        options
    }
}

/// Whether options are a mix of those of two changes.
pub(crate) fn is_mixed(options: &Value) -> bool {
    let text = |name: &str| options.get(name).and_then(Value::as_str);
    text("colour").map(seal).as_deref() != text("seal")
}
