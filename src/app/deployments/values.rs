//! Verbs on values that somebody fills in.

use crate::app::App;
use crate::domain::JsonMap;
use crate::domain::access::is_secret_name;
use crate::domain::error::{Error, Result};
use crate::domain::parameters::hydration::{self, Dry, Variables};
use crate::domain::parameters::{Finding, Unfit, findings};
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
        let variables = self.variables_of(&values).await?;
        self.compute(move || findings(values, &schema, &variables))
            .await
    }

    /// Parameters with their values made, or why one is not made.
    pub(in crate::app) async fn hydrated(
        &self,
        parameters: JsonMap,
    ) -> Result<std::result::Result<JsonMap, Dry>> {
        if !hydration::is_dry(&parameters) {
            return Ok(Ok(parameters));
        }
        let variables = self.variables_of(&parameters).await?;
        self.compute(move || hydration::hydrate(parameters, &variables))
            .await
    }

    /// The variables that values are made of.
    async fn variables_of(&self, values: &JsonMap) -> Result<Variables> {
        let named = hydration::variables_named(values);
        if named.len() > MOST_VARIABLES {
            let words = format!("The values are made of more than {MOST_VARIABLES} variables.");
            return Err(Error::invalid(words));
        }
        if named.is_empty() {
            return Ok(Variables::new());
        }
        let known = self.read(move |db| {
            let mut known = Variables::new();
            for name in named {
                if let Some(variable) = variables::by_name(db, &name)? {
                    let is_open = !is_secret_name(&name, &[]);
                    known.insert(name, is_open.then_some(variable.value));
                }
            }
            Ok(known)
        });
        known.await
    }
}
