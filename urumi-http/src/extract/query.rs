//! Extracts the parameters of a query, and notes everything that is wrong with them.

use std::fmt::Display;
use std::ops::RangeInclusive;

use axum::extract::FromRequestParts;
use http::request::Parts;
use urumi_core::error::FieldError;

use crate::problem::Problem;

/// What a handler reads from the query.
pub(crate) trait FromQuery: Sized {
    /// Reads its parameters, and notes what is wrong. A request with a wrong parameter never reaches its handler.
    fn read(params: &mut Params) -> Self;
}

/// The parameters of a query. There must be no others: a mistyped one would be ignored.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: FromQuery, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let mut params = Params::new(parts.uri.query().unwrap_or_default());
        let read = T::read(&mut params);
        let wrong = params.finish();
        if wrong.is_empty() { Ok(Query(read)) } else { Err(Problem::parameters(wrong)) }
    }
}

/// No parameters.
#[derive(Debug)]
pub(crate) struct Nothing;

impl FromQuery for Nothing {
    fn read(_params: &mut Params) -> Self {
        Nothing
    }
}

/// The parameters that have not been read yet.
#[derive(Debug)]
pub(crate) struct Params {
    left: Vec<(String, String)>,
    known: Vec<&'static str>,
    wrong: Vec<FieldError>,
}

impl Params {
    fn new(query: &str) -> Self {
        let left = form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into(), value.into())).collect();
        Params { left, known: Vec::new(), wrong: Vec::new() }
    }

    /// Notes that a parameter is wrong.
    pub(crate) fn note(&mut self, name: &str, message: impl Into<String>) {
        self.wrong.push(FieldError::new(name, message));
    }

    /// The values of a parameter that may be there several times.
    pub(crate) fn each(&mut self, name: &'static str) -> Vec<String> {
        self.known.push(name);
        let mine = |(given, _): &mut (String, String)| given == name;
        self.left.extract_if(.., mine).map(|(_, value)| value).collect()
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        let mut values = self.each(name).into_iter();
        let value = values.next();
        if values.next().is_some() {
            self.note(name, "is there more than once");
        }
        value
    }

    /// A value that is read from a text; `None` if that fails.
    pub(crate) fn value<T, E: Display>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(name)?;
        read(&text).map_err(|error| self.note(name, error.to_string())).ok()
    }

    /// A yes or no; no if it is left out.
    pub(crate) fn flag(&mut self, name: &'static str) -> bool {
        let read = |text: &str| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(format!("must be true or false, not {other:?}")),
        };
        self.value(name, read).unwrap_or_default()
    }

    /// A whole number.
    pub(crate) fn number(&mut self, name: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        let (least, most) = (range.start(), range.end());
        self.value(name, |text| {
            let number = text.parse().ok().filter(|number| range.contains(number));
            number.ok_or_else(|| format!("must be a whole number from {least} to {most}, not {text:?}"))
        })
    }

    fn finish(mut self) -> Vec<FieldError> {
        let message = match self.known.as_slice() {
            [] => "there is no such parameter; this request has none".to_owned(),
            known => format!("there is no such parameter; there are {}", known.join(", ")),
        };
        let mut unknown: Vec<String> = self.left.into_iter().map(|(name, _)| name).collect();
        unknown.dedup();
        self.wrong.extend(unknown.into_iter().map(|name| FieldError::new(name, message.as_str())));
        self.wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read() {
        let mut params = Params::new("a=x%20y&b=true&c=7&d=1&d=2,3&e=");
        assert_eq!((params.text("a").as_deref(), params.flag("b"), params.flag("z")), (Some("x y"), true, false));
        assert_eq!((params.number("c", 0..=9), params.number("y", 0..=9)), (Some(7), None));
        assert_eq!((params.each("d"), params.text("e").as_deref()), (vec!["1".to_owned(), "2,3".to_owned()], Some("")));
        assert_eq!(params.finish(), []);
    }

    #[test]
    fn everything_that_is_wrong_is_noted() {
        let mut params = Params::new("a=1&a=2&b=1&c=10&d=x&dryRun=true&dryRun=1&=");
        assert_eq!(
            (params.text("a").as_deref(), params.flag("b"), params.number("c", 0..=9)),
            (Some("1"), false, None)
        );
        assert_eq!(params.value("d", |_| Err::<(), _>("must be y")), None);
        let said: Vec<String> = params.finish().iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "a: is there more than once",
                "b: must be true or false, not \"1\"",
                "c: must be a whole number from 0 to 9, not \"10\"",
                "d: must be y",
                "dryRun: there is no such parameter; there are a, b, c, d",
                ": there is no such parameter; there are a, b, c, d",
            ]
        );
        assert_eq!(Params::new("x=1").finish()[0].message, "there is no such parameter; this request has none");
    }
}
