//! What an installation lets requests choose among the options of an engine.

mod describe;
mod rule;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use self::rule::Rule;
use crate::error::FieldError;
use crate::store::{Authority, Options};

/// What requests may choose among the options of an engine: a [`Rule`] for each option, by the
/// [authority](Authority) of the request. The installation's own authority has no rules.
///
/// A rule for an object holds for all options in it that have no rule of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionPolicy {
    operator: Rules,
    administrator: Rules,
}

/// The rules of an authority, by the path of an option, e.g. `api.replicas`.
#[derive(Clone, Debug, PartialEq)]
struct Rules {
    by_path: BTreeMap<String, Rule>,
    /// The options that have the rule of another one, with the other.
    follows: BTreeMap<String, String>,
    /// For options without a rule.
    otherwise: Rule,
}

/// A request's options, and what they are compared with.
#[derive(Clone, Copy)]
struct Choice<'a> {
    chosen: &'a Value,
    default: Option<&'a Value>,
    schema: &'a Value,
}

impl Default for OptionPolicy {
    fn default() -> Self {
        OptionPolicy::open()
    }
}

impl OptionPolicy {
    /// Every option is open to every request.
    pub fn open() -> Self {
        let rules = Rules { by_path: BTreeMap::new(), follows: BTreeMap::new(), otherwise: Rule::Open };
        OptionPolicy { operator: rules.clone(), administrator: rules }
    }

    /// Every option is locked that is not named with another rule.
    pub fn locked<'a>(
        operator: impl IntoIterator<Item = (&'a str, Rule)>,
        administrator: impl IntoIterator<Item = (&'a str, Rule)>,
    ) -> Self {
        OptionPolicy { operator: Rules::locked(operator), administrator: Rules::locked(administrator) }
    }

    /// This policy with options that have the rule of another one, also if an installation changes that: pairs of both. They
    /// have it unless they have a rule of their own.
    #[must_use]
    pub fn following<'a>(mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        for (option, other) in pairs {
            for rules in [&mut self.operator, &mut self.administrator] {
                rules.follows.insert(option.to_owned(), other.to_owned());
            }
        }
        self
    }

    /// The rule of an option for requests on this authority.
    pub fn rule(&self, authority: Authority, path: &str) -> &Rule {
        match self.rules(authority) {
            None => &Rule::Open,
            Some(rules) => rules.find(path).unwrap_or(&rules.otherwise),
        }
    }

    /// Whether an option, or an object that it is in, is named in the rules of this authority.
    pub fn decides(&self, authority: Authority, path: &str) -> bool {
        self.rules(authority).is_none_or(|rules| rules.find(path).is_some())
    }

    /// This policy with an installation's rules: by authority (`operator`, `administrator`), and then by the path of an
    /// option. A given rule replaces the rules of the option and of all options in it. The paths are those of `schema`.
    ///
    /// # Errors
    /// Every authority, path and rule that is wrong, by its path in `given`.
    pub fn with(mut self, given: &Options, schema: &Value) -> Result<Self, Vec<FieldError>> {
        let mut wrong = Vec::new();
        for (authority, rules) in given {
            let own = match authority.as_str() {
                "operator" => &mut self.operator,
                "administrator" => &mut self.administrator,
                _ => {
                    wrong.push(FieldError::new(authority, "is no authority; there is operator, administrator"));
                    continue;
                }
            };
            match rules {
                Value::Null => {}
                Value::Object(rules) => own.replace(authority, rules, schema, &mut wrong),
                _ => wrong.push(FieldError::new(authority, "must hold rules by the paths of options")),
            }
        }
        if wrong.is_empty() { Ok(self) } else { Err(wrong) }
    }

    /// What of a request's options this policy refuses. An option that has its default is never refused.
    pub fn check(
        &self,
        authority: Authority,
        request: &Options,
        defaults: &Options,
        schema: &Value,
    ) -> Vec<FieldError> {
        let mut refused = Vec::new();
        self.check_members(authority, "", (request, Some(defaults)), schema, &mut refused);
        refused
    }

    /// The schema of an engine's options as it applies to requests on this authority: what they may not choose is
    /// `readOnly`, limits are part of the schema, and `x-urumi-policy` has the rule and its text.
    pub fn describe(&self, authority: Authority, schema: &Value) -> Value {
        let mut schema = schema.clone();
        if self.rules(authority).is_some()
            && let Some(root) = schema.as_object_mut()
        {
            describe::properties(root, "", &|path| {
                let rule = self.rule(authority, path);
                (rule, self.lifted_by(authority, path, rule))
            });
        }
        schema
    }

    fn rules(&self, authority: Authority) -> Option<&Rules> {
        match authority {
            Authority::Operator => Some(&self.operator),
            Authority::Administrator => Some(&self.administrator),
            Authority::Installation => None,
        }
    }

    /// Checks the members of an object at a path; "" is the options as a whole.
    fn check_members(
        &self,
        authority: Authority,
        path: &str,
        (chosen, defaults): (&Options, Option<&Options>),
        schema: &Value,
        refused: &mut Vec<FieldError>,
    ) {
        for (name, chosen) in chosen.iter().filter(|(name, _)| may_exist(schema, name)) {
            let default = defaults.and_then(|defaults| defaults.get(name));
            let choice = Choice { chosen, default, schema: property(schema, name).unwrap_or(&Value::Null) };
            self.check_at(authority, &join(path, name), choice, refused);
        }
    }

    fn check_at(&self, authority: Authority, path: &str, choice: Choice<'_>, refused: &mut Vec<FieldError>) {
        let Choice { chosen, default, schema } = choice;
        if default == Some(chosen) || (default.is_none() && chosen.is_null()) {
            return;
        }
        let none = Map::new();
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            match chosen {
                // An object that is merely there can have an effect, e.g. complete itself with defaults of its own.
                Value::Object(_) if default.is_none() && self.locks_all(authority, path) => {}
                Value::Object(chosen) => {
                    let defaults = default.and_then(Value::as_object);
                    self.check_members(authority, path, (chosen, defaults), schema, refused);
                    return;
                }
                // It removes the defaults of everything in the object.
                Value::Null => {
                    for (name, schema) in properties {
                        let choice = Choice { chosen, default: default.and_then(|default| default.get(name)), schema };
                        self.check_at(authority, &join(path, name), choice, refused);
                    }
                    return;
                }
                // The engine refuses what has the wrong type.
                _ => return,
            }
        }
        let rule = self.rule(authority, path);
        if let (Rule::Locked, Value::Object(chosen)) = (rule, chosen)
            && schema.get("properties").is_none()
        {
            // A map: entries that have their default are no change.
            let default = default.and_then(Value::as_object).unwrap_or(&none);
            if chosen.iter().all(|(key, value)| default.get(key).map_or(value.is_null(), |default| default == value)) {
                return;
            }
        }
        if let Err(refusal) = rule.check(chosen, default) {
            let (field, message) = match refusal {
                rule::Refusal::Option(message) => (path.to_owned(), message),
                rule::Refusal::Entry(key, message) => (format!("{path}.{key}"), message),
            };
            let lifted_by = self.lifted_by(authority, path, rule);
            refused.push(FieldError::new(
                field,
                format!("{message}; {}", describe::lifted_by(lifted_by, path, authority)),
            ));
        }
    }

    /// Whether everything in an object is locked.
    fn locks_all(&self, authority: Authority, object: &str) -> bool {
        let Some(rules) = self.rules(authority) else { return false };
        let opened = |(path, rule): (&String, &Rule)| is_within(path, object) && rule != &Rule::Locked;
        self.rule(authority, object) == &Rule::Locked && !rules.by_path.iter().any(opened)
    }

    /// Who may choose what a rule refuses.
    fn lifted_by(&self, authority: Authority, path: &str, rule: &Rule) -> Authority {
        let administrators = self.rule(Authority::Administrator, path);
        if authority == Authority::Operator && administrators != &Rule::Locked && administrators != rule {
            Authority::Administrator
        } else {
            Authority::Installation
        }
    }
}

impl Rules {
    fn locked<'a>(rules: impl IntoIterator<Item = (&'a str, Rule)>) -> Self {
        let by_path = rules.into_iter().map(|(path, rule)| (path.to_owned(), rule)).collect();
        Rules { by_path, follows: BTreeMap::new(), otherwise: Rule::Locked }
    }

    /// The rule of an option, of the one that it follows, or of the nearest object that it is in.
    fn find(&self, path: &str) -> Option<&Rule> {
        let mut path = path;
        loop {
            if let Some(rule) = self.by_path.get(path) {
                return Some(rule);
            }
            if let Some(other) = self.follows.get(path) {
                return self.find(other);
            }
            path = path.rsplit_once('.')?.0;
        }
    }

    fn replace(&mut self, authority: &str, given: &Options, schema: &Value, wrong: &mut Vec<FieldError>) {
        let mut rules = BTreeMap::new();
        for (path, rule) in given {
            let field = || format!("{authority}.{path}");
            let Some(schema) = find(schema, path) else {
                wrong.push(FieldError::new(field(), "is no option of this engine"));
                continue;
            };
            match Rule::read(rule, schema) {
                Ok(rule) => {
                    rules.insert(path.clone(), rule);
                }
                Err(message) => wrong.push(FieldError::new(field(), message)),
            }
        }
        self.by_path.retain(|path, _| !rules.keys().any(|given| is_within(path, given)));
        self.by_path.extend(rules);
    }
}

/// Whether an object may have this member. The engine refuses what it may not have.
fn may_exist(object: &Value, name: &str) -> bool {
    property(object, name).is_some() || object.get("additionalProperties") != Some(&Value::Bool(false))
}

/// Whether an option is the object itself or in it.
fn is_within(path: &str, object: &str) -> bool {
    path.strip_prefix(object).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The path of a member of the object at a path.
fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The schema of a member of an object.
fn property<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object.get("properties")?.get(name)
}

/// The schema of the option at a path.
fn find<'a>(schema: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(schema, property)
}

#[cfg(test)]
mod tests;
