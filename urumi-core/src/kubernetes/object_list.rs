//! A list of objects that takes little memory.

use std::fmt;
use std::iter::FromIterator;

use super::compressed::Compressed;
use super::object::Object;

/// Objects that a watch has listed. A list of thousands of objects takes a tenth of the memory of the objects themselves:
/// each page is kept compressed, and becomes objects again while it is read. The objects of a page are ordered by namespace and name.
#[derive(Clone, Default)]
pub struct ObjectList {
    pages: Vec<Page>,
}

#[derive(Clone)]
enum Page {
    Plain(Vec<Object>),
    Compressed(Compressed),
}

impl ObjectList {
    /// The number of objects.
    pub fn len(&self) -> usize {
        self.pages.iter().map(Page::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The objects, one page after the other.
    pub fn iter(&self) -> impl Iterator<Item = Object> + '_ {
        self.pages.iter().flat_map(|page| page.clone().into_objects())
    }

    /// The first object.
    pub fn first(&self) -> Option<Object> {
        self.pages.iter().find_map(|page| match page {
            Page::Plain(objects) => objects.first().cloned(),
            Page::Compressed(objects) => objects.clone().into_objects().into_iter().next(),
        })
    }
}

impl Page {
    fn len(&self) -> usize {
        match self {
            Page::Plain(objects) => objects.len(),
            Page::Compressed(objects) => objects.len(),
        }
    }

    fn into_objects(self) -> Vec<Object> {
        match self {
            Page::Plain(objects) => objects,
            Page::Compressed(objects) => objects.into_objects(),
        }
    }
}

impl From<Vec<Object>> for ObjectList {
    fn from(objects: Vec<Object>) -> Self {
        ObjectList { pages: vec![Page::Plain(objects)] }
    }
}

impl FromIterator<Compressed> for ObjectList {
    fn from_iter<I: IntoIterator<Item = Compressed>>(pages: I) -> Self {
        ObjectList { pages: pages.into_iter().map(Page::Compressed).collect() }
    }
}

impl FromIterator<Object> for ObjectList {
    fn from_iter<I: IntoIterator<Item = Object>>(objects: I) -> Self {
        Vec::from_iter(objects).into()
    }
}

impl IntoIterator for ObjectList {
    type Item = Object;
    type IntoIter = Box<dyn Iterator<Item = Object> + Send>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.pages.into_iter().flat_map(Page::into_objects))
    }
}

impl PartialEq for ObjectList {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for ObjectList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use serde_json::json;

    use super::*;
    use crate::kubernetes::Kind;

    fn pods(names: &[&str]) -> Vec<Object> {
        let pod = |name: &&str| Object::from_value(Kind::of::<Pod>(), json!({"metadata": {"name": name}})).unwrap();
        names.iter().map(pod).collect()
    }

    #[test]
    fn pages_are_one_list() {
        let none = ObjectList::default();
        assert!(none.is_empty() && none.first().is_none());
        let pages = [&["a", "b"][..], &[], &["c"]];
        let paged: ObjectList = pages.into_iter().map(|page| Compressed::from(pods(page))).collect();
        let plain: ObjectList = pods(&["a", "b", "c"]).into();
        assert_eq!(paged, plain);
        assert_eq!(paged.len(), 3);
        assert_eq!(paged.first(), plain.first());
        assert_eq!(paged.clone().into_iter().collect::<Vec<_>>(), pods(&["a", "b", "c"]));
        assert_ne!(paged, pods(&["a", "b"]).into());
    }
}
