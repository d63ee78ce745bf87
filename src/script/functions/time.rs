//! Times and durations. There is no clock: ages are measured against the time of a capture.

use std::fmt;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use rhai::Dynamic;

use super::bounded::{Bound, Bounded};
use super::text::keep_place;
use super::{Context, Function};
use crate::script::names::Capture;
use crate::script::problem::{Error, failed, not_known};
use crate::script::values;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "duration",
        parameters: &["text"],
        about: "The duration that a text says: numbers with the units `ns`, `us`, `ms`, `s`, `m`, `h`, `d`, largest \
                first. Unknown if it says none.",
        example: r#"duration("1h30m") == duration("90m") && duration("250ms") * 4 == duration("1s")"#,
        mutates: false,
        call: duration,
    },
    Function {
        name: "timestamp",
        parameters: &["time"],
        about: "The time that a text or number says: RFC 3339, RFC 1123, seconds or milliseconds since 1970, or a date \
                and a time of day, which is taken as UTC. Unknown if it says none.",
        example: r#"timestamp("2026-11-22 11:31:24.5") - timestamp("Sun, 22 Nov 2026 11:31:24 GMT") == duration("500ms")"#,
        mutates: false,
        call: timestamp,
    },
];

/// A length of time.
pub type Duration = Bounded<SignedDuration>;

/// A point in time.
pub type Timestamp = Bounded<jiff::Timestamp>;

/// Units of durations, largest first, in nanoseconds.
const UNITS: [(&str, i128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl Duration {
    /// Reads a duration such as `1h30m`, `1.5s` or `-250ms`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mut total, mut smaller_than) = (0i128, i128::MAX);
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let (number, tail) = rest.split_at(digits);
            let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
            if *scale >= smaller_than {
                return None;
            }
            total = total.checked_add(scaled(number, *scale)?)?;
            (smaller_than, rest) = (*scale, tail);
        }
        if smaller_than == i128::MAX {
            return None;
        }
        from_nanos(if negative { -total } else { total })
    }

    /// The sum, if it can be told.
    pub(in crate::script) fn plus(&self, other: &Self) -> Result<Self, Error> {
        Ok(Self {
            value: self.value.checked_add(other.value).ok_or_else(too_large)?,
            bound: self.bound.plus(other.bound)?,
        })
    }

    /// The duration backwards.
    pub(in crate::script) fn negated(&self) -> Result<Self, Error> {
        Ok(Self {
            value: self.value.checked_neg().ok_or_else(too_large)?,
            bound: self.bound.reversed(),
        })
    }

    /// The product with a number.
    pub(in crate::script) fn times(&self, factor: f64) -> Result<Self, Error> {
        let product = self.value.as_secs_f64() * factor;
        let bound = if factor < 0.0 {
            self.bound.reversed()
        } else {
            self.bound
        };
        let value = SignedDuration::try_from_secs_f64(product).map_err(|_| too_large())?;
        // Floating-point noise below a microsecond is nobody's data.
        let value = value.round(jiff::Unit::Microsecond).unwrap_or(value);
        Ok(Self { value, bound })
    }
}

impl Timestamp {
    /// The time a duration later.
    pub(in crate::script) fn plus(&self, by: &Duration) -> Result<Self, Error> {
        Ok(Self {
            value: self.value.checked_add(by.value).map_err(|_| too_large())?,
            bound: self.bound.plus(by.bound)?,
        })
    }

    /// The duration since another time.
    pub(in crate::script) fn since(&self, earlier: &Self) -> Result<Duration, Error> {
        Ok(Duration {
            value: self.value.duration_since(earlier.value),
            bound: self.bound.plus(earlier.bound.reversed())?,
        })
    }
}

fn scaled(number: &str, scale: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole: i128 = whole.parse().ok()?;
    let digits = u32::try_from(fraction.len())
        .ok()
        .filter(|digits| (1..=18).contains(digits))?;
    let part = fraction.parse::<i128>().ok()?.checked_mul(scale)? / 10i128.pow(digits);
    whole.checked_mul(scale)?.checked_add(part)
}

fn from_nanos(nanos: i128) -> Option<Duration> {
    let seconds = i64::try_from(nanos / 1_000_000_000).ok()?;
    let rest = i32::try_from(nanos % 1_000_000_000).ok()?;
    Some(Duration::exact(SignedDuration::new(seconds, rest)))
}

fn too_large() -> Error {
    failed("the result is too large for a time")
}

impl fmt::Display for Duration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bound {
            Bound::Exact => {}
            Bound::AtLeast => out.write_str("at least ")?,
            Bound::AtMost => out.write_str("at most ")?,
        }
        if self.value.is_negative() {
            out.write_str("-")?;
        }
        let span = self.value.unsigned_abs();
        match span.as_secs() {
            0 if span.is_zero() => out.write_str("0s"),
            0 => write!(out, "{}ms", thousandths(span.as_secs_f64() * 1e3)),
            1..60 => write!(out, "{}s", thousandths(span.as_secs_f64())),
            seconds => write_units(out, seconds),
        }
    }
}

/// At most three decimals, without trailing zeros.
fn thousandths(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn write_units(out: &mut fmt::Formatter<'_>, mut seconds: u64) -> fmt::Result {
    let mut gap = "";
    for (unit, size) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if seconds >= size {
            write!(out, "{gap}{}{unit}", seconds / size)?;
            seconds %= size;
            gap = " ";
        }
    }
    Ok(())
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = match self.bound {
            Bound::Exact => "",
            Bound::AtLeast => " or later",
            Bound::AtMost => " or earlier",
        };
        write!(out, "{}{more}", self.value)
    }
}

/// When a capture was, as far as that is known.
pub(in crate::script) fn captured_at(capture: Capture) -> Result<Dynamic, Error> {
    time_of(capture).map(Dynamic::from)
}

/// How old something was when it was captured.
pub(in crate::script) fn age(time: &Dynamic, capture: Capture) -> Result<Dynamic, Error> {
    let time: Timestamp = values::own("age", "a time", time)?;
    Ok(Dynamic::from(time_of(capture)?.since(&time)?))
}

fn time_of(capture: Capture) -> Result<Timestamp, Error> {
    let value = capture
        .at
        .ok_or_else(|| not_known("the time of capture is not known; `--captured-at` gives it"))?;
    let bound = if capture.exact { Bound::Exact } else { Bound::AtLeast };
    Ok(Timestamp { value, bound })
}

fn duration(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    if let Some(duration) = args[0].read_lock::<Duration>() {
        return Ok(Dynamic::from(*duration));
    }
    let text = values::text("duration", args[0])?;
    Duration::parse(&text)
        .map(|duration| keep_place(args[0], Dynamic::from(duration)))
        .ok_or_else(|| not_known(format!("`{text}` is not a duration")))
}

fn timestamp(_: Context<'_>, args: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let value = &*args[0];
    if let Some(timestamp) = value.read_lock::<Timestamp>() {
        return Ok(Dynamic::from(*timestamp));
    }
    let parsed = if let Ok(number) = value.as_int() {
        from_unix(i128::from(number), 0)
    } else if let Ok(number) = value.as_float() {
        parse_unix(&format!("{number}"))
    } else {
        parse_time(&values::text("timestamp", value)?)
    };
    parsed
        .map(|time| keep_place(value, Dynamic::from(Timestamp::exact(time))))
        .ok_or_else(|| not_known(format!("`{value}` is not a time")))
}

/// Reads a time in any of the forms in which systems write them.
pub fn parse_time(text: &str) -> Option<jiff::Timestamp> {
    let text = text.trim();
    let utc = |time: DateTime| TimeZone::UTC.to_timestamp(time).ok();
    parse_unix(text)
        .or_else(|| text.parse().ok())
        .or_else(|| rfc2822::DateTimeParser::new().parse_timestamp(text).ok())
        .or_else(|| utc(text.parse().ok()?))
        .or_else(|| utc(DateTime::strptime("%a %b %e %H:%M:%S %Y", text).ok()?))
        .or_else(|| {
            // The way that Go prints times.
            let (time, zone) = text.rsplit_once(' ')?;
            let known = zone.bytes().all(|byte| byte.is_ascii_uppercase());
            let parsed = strtime::parse("%Y-%m-%d %H:%M:%S%.f %z", time).ok()?;
            known.then(|| parsed.to_timestamp().ok()).flatten()
        })
}

fn parse_unix(text: &str) -> Option<jiff::Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let nanos = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    from_unix(whole.parse().ok()?, nanos)
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970: whichever gives a time between 1973 and 5138.
fn from_unix(number: i128, nanos: i128) -> Option<jiff::Timestamp> {
    const SECOND: i128 = 1_000_000_000;
    let scale = match number.abs() {
        0..100_000_000_000 => SECOND,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    jiff::Timestamp::from_nanosecond(number.checked_mul(scale)? + nanos * scale / SECOND).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_shown() {
        let shown = |text| Duration::parse(text).map(|duration| duration.to_string());
        for (text, expected) in [
            ("30s", "30s"),
            ("200s", "3m 20s"),
            ("1h30m", "1h 30m"),
            ("10d", "10d"),
            ("250ms", "250ms"),
            ("1.5s", "1.5s"),
            ("0s", "0s"),
            ("-5m", "-5m"),
            ("25h", "1d 1h"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "5",
            "5 m",
            "m",
            "5x",
            "1m1h",
            "1m1m",
            "1..5s",
            "-",
            "99999999999999999999d",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_read_in_many_forms() {
        let same = [
            "2026-11-22T11:31:24Z",
            "2026-11-22T20:31:24+09:00",
            "2026-11-22T11:31:24.000000000Z",
            "Sun, 22 Nov 2026 11:31:24 GMT",
            "1795347084",
            "1795347084000",
            "1795347084.0",
            "2026-11-22 11:31:24.000",
            "2026-11-22T11:31:24",
            "Sun Nov 22 11:31:24 2026",
            "2026-11-22 11:31:24.0 +0000 UTC",
        ];
        for text in same {
            assert_eq!(
                parse_time(text).map(|time| time.to_string()).as_deref(),
                Some("2026-11-22T11:31:24Z"),
                "{text}"
            );
        }
        for text in ["", "yesterday", "-", "11:31:24", "2026-13-01T00:00:00Z"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }
}
