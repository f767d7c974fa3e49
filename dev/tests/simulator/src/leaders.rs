//! Who leads, as somebody sees it who knows all processes and every write of the Lease.

use std::time::Duration;

use tokio::time::Instant;
use urumi_core::kubernetes::Object;
use urumi_core::monitor::leader::Leadership;

use crate::life::Life;

/// How much longer than a lease it may take until somebody leads again.
const FAILOVER: Duration = Duration::from_secs(2);
/// How long that may take where the Lease was released.
const HANDOVER: Duration = Duration::from_millis(500);

/// One who stands.
struct Candidate {
    life: Life,
    leadership: Leadership,
    /// Since when it has been up and has not stood still.
    fit_since: Instant,
}

/// Those who stand, and the Lease.
pub(crate) struct Leaders {
    lease: Duration,
    candidates: Vec<Candidate>,
    /// Who is in the Lease; nobody, where it was released.
    holder: String,
    /// How often that has changed.
    terms: u64,
    /// When it was seen last that somebody leads, or that nobody could.
    led_at: Instant,
}

impl Leaders {
    pub(crate) fn new(lease: Duration) -> Leaders {
        Leaders { lease, candidates: Vec::new(), holder: String::new(), terms: 0, led_at: Instant::now() }
    }

    /// A process has been started.
    pub(crate) fn join(&mut self, life: &Life, leadership: &Leadership) {
        let (life, leadership) = (life.clone(), leadership.clone());
        self.candidates.push(Candidate { life, leadership, fit_since: Instant::now() });
    }

    /// Those who believe at this moment that they lead.
    fn leading(&self) -> impl Iterator<Item = &Candidate> {
        self.candidates.iter().filter(|one| !one.life.dead.is_cancelled() && one.leadership.holds())
    }

    /// The process that leads and is not standing still.
    pub(crate) fn leader(&self) -> Option<&Life> {
        self.leading().map(|one| &one.life).find(|life| !life.is_frozen())
    }

    /// Ends all standing still.
    pub(crate) fn thaw(&self) {
        self.candidates.iter().for_each(|one| one.life.freeze(false));
    }

    /// Who is in the Lease, and the number of their term.
    pub(crate) fn term(&self) -> (u64, &str) {
        (self.terms, &self.holder)
    }

    /// Says what is wrong where several lead.
    pub(crate) fn several(&self) -> Option<String> {
        let leading: Vec<_> = self.leading().map(|one| one.life.identity.as_str()).collect();
        (leading.len() > 1).then(|| format!("{} lead at a time", leading.join(" and ")))
    }

    /// The Lease was written; says what is wrong where somebody leads who is not in it.
    pub(crate) fn written(&mut self, lease: &Object) -> Option<String> {
        let holder = lease.str_at("/spec/holderIdentity").unwrap_or_default();
        self.led_at = Instant::now();
        if holder != self.holder {
            self.holder = holder.to_owned();
            self.terms += 1;
        }
        let other = self.leading().find(|one| one.life.identity != holder)?;
        Some(format!("the Lease is {holder:?}'s and {} leads", other.life.identity))
    }

    /// To be called every moment. Says for how long nobody has led, where that is too long for a cluster in which all
    /// is well.
    pub(crate) fn vacancy(&mut self, all_is_well: bool) -> Option<Duration> {
        let now = Instant::now();
        self.candidates.retain(|one| !one.life.dead.is_cancelled());
        for one in &mut self.candidates {
            if one.life.is_frozen() || !one.life.is_up() {
                one.fit_since = now;
            }
        }
        if !all_is_well || self.leader().is_some() {
            self.led_at = now;
        }
        let fit_since = self.candidates.iter().map(|one| one.fit_since).min()?;
        let vacant = now.duration_since(self.led_at.max(fit_since));
        let most = if self.holder.is_empty() { HANDOVER } else { self.lease + FAILOVER };
        (vacant > most).then_some(vacant)
    }
}
