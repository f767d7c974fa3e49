//! Schedules as cron writes them, with the five fields that Kubernetes' CronJobs take.

/// What a field is called, its least and most number, and the names that stand for numbers from the least on.
const FIELDS: [(&str, u8, u8, &[&str]); 5] = [
    ("minute", 0, 59, &[]),
    ("hour", 0, 23, &[]),
    ("day of the month", 1, 31, &[]),
    ("month", 1, 12, &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    ("day of the week", 0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

/// Checks a schedule: minute, hour, day of the month, month and day of the week, each `*`, a number, a range or a
/// list of these, and `/STEP` after `*` or a range.
///
/// # Errors
/// What is wrong with it.
pub fn cron(schedule: &str) -> Result<(), String> {
    let given: Vec<&str> = schedule.split(' ').collect();
    if given.len() != FIELDS.len() || given.contains(&"") {
        return Err("must be five fields with a space between them, e.g. '*/15 * * * *'".to_owned());
    }
    for (field, (name, least, most, names)) in given.iter().zip(FIELDS) {
        let right = field.split(',').all(|part| part_is_right(part, least, most, names));
        if !right {
            return Err(format!(
                "has the {name} {field:?}; it must be *, {least} to {most}, a range or a list of these"
            ));
        }
    }
    Ok(())
}

fn part_is_right(part: &str, least: u8, most: u8, names: &[&str]) -> bool {
    let number = |text: &str| {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text)).and_then(|n| u8::try_from(n).ok());
        let digits = || text.parse::<u8>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
        named.map(|n| n + least).or_else(digits).filter(|n| (least..=most).contains(n))
    };
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    let step_is_right = step.is_none_or(|step| {
        step.bytes().all(|b| b.is_ascii_digit()) && step.parse::<u8>().is_ok_and(|n| (1..=most).contains(&n))
    });
    let range_is_right = match range.split_once('-') {
        _ if range == "*" => true,
        Some((from, to)) => matches!((number(from), number(to)), (Some(from), Some(to)) if from <= to),
        None => number(range).is_some() && step.is_none(),
    };
    step_is_right && range_is_right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_told_from_others() {
        for right in ["* * * * *", "*/15 * * * *", "0 3 * * 1-5", "0,30 0-6/2 1 jan-MAR sun", "59 23 31 12 6"] {
            assert_eq!(cron(right), Ok(()), "{right}");
        }
        for wrong in [
            "",
            "* * * *",
            "* * * * * *",
            "@daily",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 7",
            "*/0 * * * *",
            "5/2 * * * *",
            "6-5 * * * *",
            "+1 * * * *",
            "1, * * * *",
            "* * * * mo",
            "*  * * * *",
            "a\n * * * *",
        ] {
            assert!(cron(wrong).is_err(), "{wrong}");
        }
    }
}
