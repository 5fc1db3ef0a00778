//! What modern clients ask of a task run's flow run.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::operators::{Operator, Operators};
use crate::domain::error::Result;
use crate::domain::filter::{Joined, Test, Values};

/// By flow run, or by there being none. Where neither is said, those that have one, as on the
/// reference.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ByRunOrNone {
    /// One of these, unless it is those without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any_: Option<Vec<Uuid>>,
    /// Without a flow run, or with one; null: whichever.
    pub is_null_: Option<bool>,
    /// Of no effect, since only one of these is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<Operator>,
}

impl Default for ByRunOrNone {
    fn default() -> Self {
        Self {
            any_: None,
            is_null_: Some(false),
            operator: None,
        }
    }
}

impl Operators for ByRunOrNone {
    fn tests(self) -> Result<(Joined, Vec<Option<Test>>)> {
        let test = match (self.is_null_, self.any_) {
            (Some(true), _) => Some(Test::IsNull(true)),
            (_, Some(runs)) => Some(Test::In(Values::Ids(runs))),
            (Some(false), None) => Some(Test::IsNull(false)),
            (None, None) => None,
        };
        Ok((Joined::And, vec![test]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn asked(by: Value) -> Option<Test> {
        let by: ByRunOrNone = serde_json::from_value(by).unwrap();
        by.tests().unwrap().1.remove(0)
    }

    #[test]
    fn only_one_thing_is_asked() {
        let run = Uuid::from_u128(1);
        let of_one = Some(Test::In(Values::Ids(vec![run])));
        for (by, expected) in [
            (json!({}), Some(Test::IsNull(false))),
            (json!({"any_": null}), Some(Test::IsNull(false))),
            (json!({"is_null_": null}), None),
            (json!({"is_null_": false}), Some(Test::IsNull(false))),
            (json!({"is_null_": true}), Some(Test::IsNull(true))),
            (json!({"any_": [run]}), of_one.clone()),
            (json!({"any_": [run], "is_null_": null}), of_one.clone()),
            (json!({"any_": [run], "is_null_": false}), of_one.clone()),
            (
                json!({"any_": [run], "is_null_": true, "operator": "or_"}),
                Some(Test::IsNull(true)),
            ),
        ] {
            assert_eq!(asked(by.clone()), expected, "{by}");
        }
    }
}
