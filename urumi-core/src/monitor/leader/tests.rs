//! Elections on the in-memory cluster, in virtual time.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use proptest::prelude::*;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::cluster::{InMemoryCluster, Outage};
use crate::kubernetes::{ClusterErrorKind, Verb};
use crate::kubernetes::{Kind, Object, ObjectRef};
use crate::monitor::leader::lease::KIND;

const PATIENCE: Duration = Duration::from_secs(120);

/// One who stands, until dropped.
struct Candidate {
    handle: ElectionHandle,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Candidate {
    fn new(cluster: &InMemoryCluster, identity: &str) -> Candidate {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let election = LeaderElection::new(Arc::new(cluster.clone()), "urumi", "monitor", identity);
        Candidate { handle: election.spawn(&tasks, stop.clone()), stop, tasks }
    }

    fn leads(&self) -> bool {
        self.handle.leadership().holds()
    }

    async fn began(&self) -> Duration {
        let began = Instant::now();
        timeout(PATIENCE, self.handle.leadership().began()).await.expect("it never leads");
        began.elapsed()
    }

    /// Stops as a process that is told to.
    async fn retires(self) {
        self.stop.cancel();
        self.tasks.close();
        timeout(PATIENCE, self.tasks.wait()).await.expect("it never ends");
    }
}

async fn cluster() -> InMemoryCluster {
    let cluster = InMemoryCluster::default();
    let namespace = json!({"metadata": {"name": "urumi"}});
    cluster.create(&Object::from_value(Kind::of::<Namespace>(), namespace).unwrap()).await.unwrap();
    cluster
}

fn reference() -> ObjectRef {
    ObjectRef::namespaced(KIND, "urumi", "monitor")
}

async fn lease(cluster: &InMemoryCluster) -> Object {
    cluster.get(&reference()).await.unwrap().expect("there is a Lease")
}

/// Lets everybody see what there is.
async fn settle() {
    sleep(Duration::from_millis(100)).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_leads_and_renews_and_the_second_waits_without_a_request() {
    let cluster = cluster().await;
    let one = Candidate::new(&cluster, "one");
    assert!(one.began().await < Duration::from_millis(100));
    let two = Candidate::new(&cluster, "two");
    settle().await;
    let begun = lease(&cluster).await;
    assert_eq!(begun.str_at("/spec/holderIdentity"), Some("one"));
    assert_eq!(begun.int_at("/spec/leaseDurationSeconds"), Some(15));
    assert_eq!(begun.int_at("/spec/leaseTransitions"), Some(0));
    cluster.forget_requests();
    sleep(Duration::from_secs(60)).await;
    assert!(one.leads() && !two.leads());
    let verbs: Vec<Verb> = cluster.requests().into_iter().map(|request| request.verb).collect();
    assert!(verbs.iter().all(|verb| *verb == Verb::Replace), "{verbs:?}");
    assert!((29..=31).contains(&verbs.len()), "{} renewals in a minute", verbs.len());
    let now = lease(&cluster).await;
    assert_eq!(now.str_at("/spec/acquireTime"), begun.str_at("/spec/acquireTime"));
    let health = two.handle.health();
    assert_eq!((health.leads, health.leader.as_deref(), health.identity.as_str()), (false, Some("one"), "two"));
    assert!(health.since.is_some() && health.last_error.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_told_to_stop_hands_over_at_once() {
    let cluster = cluster().await;
    let one = Candidate::new(&cluster, "one");
    one.began().await;
    let two = Candidate::new(&cluster, "two");
    settle().await;
    one.retires().await;
    let took = two.began().await;
    assert!(took <= Duration::from_millis(500), "{took:?}");
    assert_eq!(lease(&cluster).await.int_at("/spec/leaseTransitions"), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_stops_before_its_lease_expires_and_then_one_leads_again() {
    let cluster = cluster().await;
    let one = Candidate::new(&cluster, "one");
    one.began().await;
    let two = Candidate::new(&cluster, "two");
    settle().await;
    cluster.begin_outage(Outage::new(ClusterErrorKind::Unreachable).verb(Verb::Replace));
    let mut leadership = one.handle.leadership();
    let began = Instant::now();
    leadership.ended().await;
    let ended = began.elapsed();
    assert!(ended <= Duration::from_secs(10), "it led for {ended:?} more");
    assert!(one.handle.health().last_error.is_some());
    cluster.end_outages();
    let third = Candidate::new(&cluster, "three");
    // The Lease is still the old leader's: it may be the first to come back.
    tokio::select! {
        _ = one.began() => {}
        _ = two.began() => {}
        _ = third.began() => {}
    }
    assert_eq!([one.leads(), two.leads(), third.leads()].into_iter().filter(|leads| *leads).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn clocks_that_are_wrong_do_no_harm() {
    for shift in ["2001-01-01T00:00:00.000000Z", "2101-01-01T00:00:00.000000Z"] {
        let cluster = cluster().await;
        let spec = json!({
            "holderIdentity": "theirs", "leaseDurationSeconds": 15, "acquireTime": shift, "renewTime": shift,
        });
        let theirs = json!({"metadata": {"name": "monitor", "namespace": "urumi"}, "spec": spec});
        cluster.create(&Object::from_value(KIND, theirs).unwrap()).await.unwrap();
        let ours = Candidate::new(&cluster, "ours");
        for renewal in 0..20 {
            sleep(Duration::from_secs(5)).await;
            cluster.modify(&reference(), |lease| {
                lease.as_value_mut()["metadata"]["annotations"] = json!({"renewal": renewal.to_string()});
            });
        }
        assert!(!ours.leads(), "it took a Lease that was renewed");
        let took = ours.began().await;
        assert!((15..=16).contains(&took.as_secs()), "{took:?} after the last renewal");
        assert_eq!(lease(&cluster).await.annotation("renewal"), Some("19"), "what others wrote stays");
    }
}

#[tokio::test(start_paused = true)]
async fn nonsense_in_the_lease_is_survived() {
    for spec in [
        json!({}),
        json!({"holderIdentity": ""}),
        json!({"holderIdentity": "x", "leaseDurationSeconds": 0, "leaseTransitions": -4}),
        json!({"holderIdentity": "x", "leaseDurationSeconds": i32::MAX, "leaseTransitions": i32::MAX}),
        json!({"holderIdentity": "x", "acquireTime": null}),
    ] {
        let cluster = cluster().await;
        let theirs = json!({"metadata": {"name": "monitor", "namespace": "urumi"}, "spec": spec});
        cluster.create(&Object::from_value(KIND, theirs).unwrap()).await.unwrap();
        let ours = Candidate::new(&cluster, "ours");
        let took = ours.began().await;
        assert!(took < Duration::from_secs(17), "{spec}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_deleted_or_taken_is_noticed() {
    let cluster = cluster().await;
    let one = Candidate::new(&cluster, "one");
    one.began().await;
    assert!(cluster.remove(&reference()));
    settle().await;
    assert!(one.leads(), "nobody else took it");
    cluster.modify(&reference(), |lease| lease.as_value_mut()["spec"]["holderIdentity"] = json!("usurper"));
    settle().await;
    assert!(!one.leads());
    assert_eq!(one.handle.health().leader.as_deref(), Some("usurper"));
    assert!(one.began().await < Duration::from_secs(16), "the usurper does not renew");
}

#[tokio::test(start_paused = true)]
async fn without_the_right_to_watch_the_lease_is_taken_all_the_same() {
    let cluster = cluster().await;
    let one = Candidate::new(&cluster, "one");
    one.began().await;
    for verb in ["list", "watch"] {
        let namespace = Some("urumi".to_owned());
        let (group, resource) = ("coordination.k8s.io".to_owned(), "leases".to_owned());
        cluster.deny(crate::kubernetes::Access { verb: verb.into(), group, resource, namespace, name: None });
    }
    let two = Candidate::new(&cluster, "two");
    sleep(Duration::from_secs(60)).await;
    assert!(one.leads() && !two.leads());
    one.retires().await;
    assert!(two.began().await <= Duration::from_secs(17));
}

#[tokio::test(start_paused = true)]
async fn work_is_given_up_when_the_leadership_ends_and_not_before() {
    let (appointment, leadership) = Leadership::appointed(true);
    assert_eq!(leadership.while_held(async { 1 }).await, Some(1));
    let given_up = leadership.while_held(std::future::pending::<()>());
    let (given_up, ()) = tokio::join!(given_up, async {
        sleep(Duration::from_secs(3600)).await;
        appointment.set(false);
    });
    assert_eq!(given_up, None);
    assert_eq!(leadership.while_held(async { 1 }).await, None, "not even begun");
}

#[test]
fn a_paused_process_asks_its_clock_before_it_goes_on() {
    // Nothing drives this runtime's timers while the future is polled by hand.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _context = runtime.enter();
    let (term, leadership) = Leadership::new();
    term.send_replace(leadership::Term::Until(Instant::now() + Duration::from_millis(20)));
    let mut steps = 0;
    let work = futures::future::poll_fn(|_| {
        steps += 1;
        std::task::Poll::<()>::Pending
    });
    let mut held = Box::pin(leadership.while_held(work));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(held.as_mut().poll(&mut context).is_pending());
    let began = std::time::Instant::now();
    while began.elapsed() < Duration::from_millis(25) {
        std::hint::spin_loop();
    }
    assert_eq!(held.as_mut().poll(&mut context), std::task::Poll::Ready(None));
    drop(held);
    assert_eq!(steps, 1);
}

#[test]
fn times_that_make_no_election_are_refused() {
    let of = |lease, renew_deadline, retry| {
        let election = LeaderElection::new(Arc::new(InMemoryCluster::default()), "a", "b", "c");
        let millis = Duration::from_millis;
        election.timing(Timing { lease: millis(lease), renew_deadline: millis(renew_deadline), retry: millis(retry) })
    };
    assert!(of(15_000, 10_000, 2000).is_ok());
    assert_eq!(of(10_000, 10_000, 2000).unwrap_err(), TimingError::LeaseTooShort);
    assert_eq!(of(15_000, 3000, 2000).unwrap_err(), TimingError::DeadlineTooShort);
    assert_eq!(of(15_000, 10_000, 0).unwrap_err(), TimingError::RetryTooShort);
}

/// Something that happens in an election.
#[derive(Clone, Debug)]
enum Happening {
    Wait(u64),
    /// Requests of a verb fail for so many seconds, perhaps after they were done.
    Fail {
        verb: Verb,
        seconds: u64,
        answer_lost: bool,
    },
    Slow(u64),
    Delete,
    Retire(usize),
    DropWatches,
}

fn happening() -> impl Strategy<Value = Happening> {
    let verb = prop::sample::select(vec![Verb::Replace, Verb::Get, Verb::Create]);
    prop_oneof![
        (1_u64..30).prop_map(Happening::Wait),
        (verb, 1_u64..40, any::<bool>()).prop_map(|(verb, seconds, answer_lost)| Happening::Fail {
            verb,
            seconds,
            answer_lost
        }),
        (0_u64..4000).prop_map(Happening::Slow),
        Just(Happening::Delete),
        (0_usize..3).prop_map(Happening::Retire),
        Just(Happening::DropWatches),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// A Lease that somebody deletes is the one thing that no election can survive without two leaders for a while: it
    /// is left out of the claim that there is never more than one.
    #[test]
    fn never_do_two_lead_and_in_the_end_one_does(plan in prop::collection::vec(happening(), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let cluster = cluster().await;
            let mut candidates: Vec<Candidate> =
                (0..3).map(|n| Candidate::new(&cluster, &format!("first-{n}"))).collect();
            let may_delete = plan.iter().any(|it| matches!(it, Happening::Delete));
            for (turn, happening) in plan.into_iter().enumerate() {
                let seconds = match happening {
                    Happening::Wait(seconds) => seconds,
                    Happening::Fail { verb, seconds, answer_lost } => {
                        let outage = Outage::new(ClusterErrorKind::Unavailable).verb(verb);
                        cluster.begin_outage(if answer_lost { outage.answer_lost() } else { outage });
                        seconds
                    }
                    Happening::Slow(millis) => {
                        cluster.set_latency(Duration::from_millis(millis));
                        5
                    }
                    Happening::Delete => {
                        cluster.remove(&reference());
                        1
                    }
                    Happening::Retire(n) => {
                        let gone = std::mem::replace(&mut candidates[n], Candidate::new(&cluster, &format!("later-{turn}")));
                        gone.stop.cancel();
                        1
                    }
                    Happening::DropWatches => {
                        cluster.drop_watches();
                        1
                    }
                };
                for _ in 0..seconds * 10 {
                    sleep(Duration::from_millis(100)).await;
                    let leaders = candidates.iter().filter(|candidate| candidate.leads()).count();
                    assert!(leaders <= 1 || may_delete, "{leaders} lead at a time");
                }
                cluster.end_outages();
            }
            cluster.set_latency(Duration::ZERO);
            sleep(Duration::from_secs(40)).await;
            let leaders = candidates.iter().filter(|candidate| candidate.leads()).count();
            assert_eq!(leaders, 1);
        });
    }
}
