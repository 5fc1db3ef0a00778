//! Lists of texts in a column, such as tags: what is asked of them.

use std::collections::BTreeSet;

use sea_query::{Condition, Expr, Value};

use super::condition::array;

/// A row's tags are gone through once, whatever the number of those that are asked for: these
/// are read into a table of the statement's own, once for all rows.
pub(super) fn has_all((table, name): (&'static str, &'static str), tags: &[String]) -> Condition {
    let wanted: BTreeSet<&str> = tags.iter().map(String::as_str).collect();
    let wanted: Vec<&str> = wanted.into_iter().collect();
    let all = Condition::all();
    match wanted.as_slice() {
        [] => all,
        [tag] => {
            let has =
                format!("EXISTS (SELECT 1 FROM json_each(\"{table}\".\"{name}\") WHERE value = ?)");
            all.add(Expr::cust_with_values(has, [*tag]))
        }
        several => {
            let has = format!(
                "(SELECT count(DISTINCT value) FROM json_each(\"{table}\".\"{name}\") \
                 WHERE value IN (SELECT value FROM json_each(?))) = ?"
            );
            let count = Value::from(several.len() as u64);
            let wanted = Value::from(array(several));
            all.add(Expr::cust_with_values(has, [wanted, count]))
        }
    }
}

/// One of these tags at least is among a row's.
pub(super) fn has_any((table, name): (&'static str, &'static str), tags: &[String]) -> Expr {
    let has = format!(
        "EXISTS (SELECT 1 FROM json_each(\"{table}\".\"{name}\") \
         WHERE value IN (SELECT value FROM json_each(?)))"
    );
    Expr::cust_with_values(has, [array(tags)])
}
