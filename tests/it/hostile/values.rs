//! Values that nobody means, as JSON text, and chance that can be repeated.

use serde_json::json;

/// Numbers that are drawn from a seed.
pub struct Chance(u64);

impl Chance {
    /// The same seed draws the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// Below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        drawn as usize % count
    }

    /// One of these.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        of.get(self.below(of.len())).unwrap()
    }
}

/// Values in place of any other.
pub fn values() -> Vec<String> {
    let mut values: Vec<String> = NUMBERS.iter().map(|text| (*text).to_owned()).collect();
    values.extend(TEXTS.iter().map(|text| json!(text).to_string()));
    values.extend(RAW.iter().map(|text| (*text).to_owned()));
    values.push(json!("x".repeat(20_000)).to_string());
    values.push(json!("ü".repeat(200_000)).to_string());
    values.push(format!("\"{}\"", "\\u0000".repeat(3000)));
    values.push("9".repeat(4000));
    values.push("9".repeat(100_000));
    values.push(format!("1e{}", "9".repeat(300)));
    values.push(format!("0.{}1", "0".repeat(4000)));
    values.push(nested("[", "]", 99));
    values.push(nested("[", "]", 130));
    values.push(nested("{\"a\":", "}", 130).replace(":}", ":1}"));
    values.push("[".repeat(50_000));
    values.push(list("1", 40_000));
    values.push(list("\"x\"", 40_000));
    values.push(list("null", 20_000));
    values.push(list("[]", 30_000));
    values.push(list("{\"a\":1}", 10_000));
    values.push(list("\"00000000-1111-4222-8333-444444444444\"", 6000));
    values.push(object(20_000));
    values.push(format!("{{{}\"a\":1}}", "\"a\":2,".repeat(20_000)));
    values
}

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-1",
    "1.5",
    "1e3",
    "1e17",
    "1e300",
    "1e999",
    "-1e999",
    "5e-324",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "202402144809161001040",
];

const TEXTS: &[&str] = &[
    "",
    " ",
    "0",
    "inf",
    "-inf",
    "nan",
    "1e300",
    "9223372036854775808",
    "null",
    "\u{0}",
    "\u{202e}\u{feff}\u{fffd}",
    "a\nb\rc\u{1b}[2J",
    "%00/../../etc/passwd",
    "' OR 1=1 --",
    "00000000-1111-4222-8333-444444444444",
    "{00000000-1111-4222-8333-444444444444}",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-01:00",
    "9999-12-31T23:59:59.999999Z",
    "+262142-12-31T23:59:59Z",
    "2022-01-01T00:00:00+99:99",
    "P999999999D",
    "999999999 00:00:00",
    "-1:-1:-1",
    "P1M",
];

/// What is no value, or hardly one.
const RAW: &[&str] = &[
    "",
    "null",
    "true",
    "[]",
    "{}",
    "[null]",
    "[[]]",
    "[[\"a\",1]]",
    "[{\"a\":1,\"b\":2}]",
    "{\"\":\"\"}",
    "{\"a\":1,\"a\":[]}",
    "{\"$serde_json::private::Number\":\"x\"}",
    "{\"$serde_json::private::RawValue\":\"x\"}",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\u12",
    "\"\u{1}\"",
    "NaN",
    "-Infinity",
    "01",
    "1.",
    "+1",
    "'x'",
    "[1,]",
    "{\"a\" 1}",
    "{a:1}",
    "/* */ 1",
    "tru",
    "\u{feff}{}",
];

fn nested(open: &str, close: &str, depth: usize) -> String {
    open.repeat(depth) + &close.repeat(depth)
}

fn list(item: &str, count: usize) -> String {
    format!("[{}]", vec![item; count].join(","))
}

fn object(count: usize) -> String {
    let members: Vec<_> = (0..count).map(|n| format!("\"k{n}\":{n}")).collect();
    format!("{{{}}}", members.join(","))
}
