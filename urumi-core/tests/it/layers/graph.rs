//! Circles in a directed graph.

use std::collections::{BTreeMap, BTreeSet};

/// The sets of nodes that reach each other, each in order.
pub(super) fn circles(arrows: &BTreeMap<String, Vec<String>>) -> Vec<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = arrows.keys().map(|from| (from, reach(arrows, from))).collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (from, targets) in &reached {
        let circle = targets.iter().filter(|to| reached.get(*to).is_some_and(|back| back.contains(from)));
        let circle: Vec<String> = circle.map(|node| (*node).clone()).collect();
        if !circle.is_empty() {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

/// Every node that can be reached from one; the node itself only along a circle.
fn reach<'a>(arrows: &'a BTreeMap<String, Vec<String>>, from: &String) -> BTreeSet<&'a String> {
    let mut seen = BTreeSet::new();
    let mut next: Vec<&String> = arrows.get(from).into_iter().flatten().collect();
    while let Some(node) = next.pop() {
        if seen.insert(node) {
            next.extend(arrows.get(node).into_iter().flatten());
        }
    }
    seen
}

#[test]
fn circles_are_found() {
    let graph = |arrows: &[(&str, &str)]| {
        let mut graph: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (from, to) in arrows {
            graph.entry((*from).to_owned()).or_default().push((*to).to_owned());
        }
        graph
    };
    assert_eq!(circles(&graph(&[("a", "b"), ("b", "c"), ("a", "c")])), Vec::<Vec<String>>::new());
    assert_eq!(circles(&graph(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")])), [["b", "c"]]);
    assert_eq!(circles(&graph(&[("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")])), [["a", "b"], ["c", "d"]]);
}
