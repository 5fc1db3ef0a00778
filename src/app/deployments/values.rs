//! Verbs on values that somebody fills in.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::app::App;
use crate::domain::JsonMap;
use crate::domain::access::is_secret_name;
use crate::domain::error::{Error, Result};
use crate::domain::parameters::{Finding, Unfit, findings, hydration};
use crate::storage::variables;

/// The most variables that values are made of.
const MOST_VARIABLES: usize = 100;

impl App {
    /// What of some values does not conform to a schema, once those are made that say how they are
    /// made. A variable that is a secret by its name is not looked at.
    pub async fn check_values(
        &self,
        values: JsonMap,
        schema: JsonMap,
    ) -> Result<std::result::Result<Vec<Finding>, Unfit>> {
        let named = hydration::variables_named(&Value::Object(values.clone()));
        if named.len() > MOST_VARIABLES {
            let words = format!("The values are made of more than {MOST_VARIABLES} variables.");
            return Err(Error::invalid(words));
        }
        let variables = self
            .read(move |db| {
                let mut known = BTreeMap::new();
                for name in named {
                    if let Some(variable) = variables::by_name(db, &name)? {
                        let is_open = !is_secret_name(&name, &[]);
                        known.insert(name, is_open.then_some(variable.value));
                    }
                }
                Ok(known)
            })
            .await?;
        self.compute(move || findings(values, &schema, &variables))
            .await
    }
}
