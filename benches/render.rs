//! Benchmarks of rendering and planning.
#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros are undocumented; a bench may panic")]

use std::collections::HashMap;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use urumi_core::cluster::InMemoryCluster;
use urumi_core::engine::Manifest;
use urumi_core::kubernetes::ObjectRef;
use urumi_core::plan::{Observed, plan};
use urumi_core::{CreateStore, Orchestrator};

fn benches(c: &mut Criterion) {
    let urumi = Orchestrator::builder(InMemoryCluster::default()).build();
    let request = CreateStore::new("Bench", "medusa").id("bench");
    let spec = urumi.prepare(&request).unwrap();
    c.bench_function("prepare (validate and resolve a request)", |b| {
        b.iter(|| urumi.prepare(black_box(&request)).unwrap());
    });
    c.bench_function("render (all objects of a store)", |b| b.iter(|| urumi.render(black_box(&spec)).unwrap()));

    let desired: Vec<Manifest> = urumi.render(&spec).unwrap().into_iter().skip(1).map(Manifest::managed).collect();
    let there: HashMap<ObjectRef, _> = desired.iter().map(|m| (m.object.reference(), m.object.clone())).collect();
    let complete: Observed<'_> = there.iter().collect();
    c.bench_function("plan (nothing exists)", |b| b.iter(|| plan(black_box(&desired), &Observed::new())));
    c.bench_function("plan (everything exists)", |b| b.iter(|| plan(black_box(&desired), black_box(&complete))));
}

criterion_group!(group, benches);
criterion_main!(group);
