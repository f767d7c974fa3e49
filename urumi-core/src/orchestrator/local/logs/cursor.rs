//! How far a log was read, so that it can be read on without a line lost or twice.

use jiff::Timestamp;

use crate::kubernetes::LogsSince;

/// How far the log of a container was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Cursor {
    /// The latest time of a line.
    last: Option<Timestamp>,
    /// The number of lines of this second.
    count: usize,
}

impl Cursor {
    /// Notes a line that was read.
    pub(super) fn note(&mut self, time: Option<Timestamp>) {
        let Some(time) = time else { return };
        match self.last {
            Some(last) if time.as_second() < last.as_second() => {}
            Some(last) if time.as_second() == last.as_second() => {
                self.count += 1;
                self.last = Some(time.max(last));
            }
            _ => *self = Cursor { last: Some(time), count: 1 },
        }
    }

    /// Where to read on: the beginning of the latest line's second, as Kubernetes knows no fractions here.
    pub(super) fn since(&self) -> Option<LogsSince> {
        self.last.map(LogsSince::Time)
    }

    /// What of a log that is read on has been read before.
    pub(super) fn known(&self) -> Known {
        Known { lines: self.count, until: self.last }
    }
}

/// The lines at the beginning of a log that have been read before. Containers write their lines in the order of their times,
/// but two streams of one container may be a little out of order. The log may also begin later than it did, because it was
/// rotated. So a line has been read before if its time has passed, and not all of the lines of that second have come.
#[derive(Debug, Default)]
pub(super) struct Known {
    lines: usize,
    until: Option<Timestamp>,
}

impl Known {
    /// Whether the next line has been read before.
    pub(super) fn has(&mut self, time: Timestamp) -> bool {
        let known = self.lines > 0 && self.until.is_some_and(|until| time <= until);
        self.lines -= usize::from(known);
        known
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(millisecond).unwrap()
    }

    /// Reads a log in parts, each of which breaks after some lines.
    fn read(log: &[i64], parts: &[usize]) -> Vec<i64> {
        let (mut cursor, mut seen) = (Cursor::default(), Vec::new());
        for part in parts.iter().chain([&usize::MAX]) {
            let since = match cursor.since() {
                Some(LogsSince::Time(time)) => time.as_second(),
                _ => i64::MIN,
            };
            let mut known = cursor.known();
            for line in log.iter().filter(|line| at(**line).as_second() >= since).take(*part) {
                if !known.has(at(*line)) {
                    cursor.note(Some(at(*line)));
                    seen.push(*line);
                }
            }
        }
        seen
    }

    proptest! {
        #[test]
        fn no_line_is_lost_or_read_twice(mut log in prop::collection::vec(0_i64..5000, 0..30), parts in prop::collection::vec(0_usize..20, 0..8)) {
            log.sort_unstable();
            prop_assert_eq!(read(&log, &parts), log);
        }
    }

    #[test]
    fn lines_that_are_a_little_out_of_order_come_once() {
        let log = [1000, 1500, 1400, 1600, 2100];
        for part in 0..log.len() {
            assert_eq!(read(&log, &[part]), log, "broken after {part} lines");
        }
    }

    #[test]
    fn a_log_that_was_rotated_loses_no_new_line() {
        let mut cursor = Cursor::default();
        [1000, 1100, 1200].map(at).into_iter().for_each(|time| cursor.note(Some(time)));
        let mut known = cursor.known();
        let rotated = [1200, 1300, 1400];
        assert_eq!(rotated.map(|line| known.has(at(line))), [true, false, false]);
    }
}
