//! Checks of job variables against the template of the pool that will use them.

use uuid::Uuid;

use crate::app::App;
use crate::app::blocks::values_of;
use crate::domain::JsonMap;
use crate::domain::deployment::Deployment;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::parameters::job_variables::{
    check_defaults, check_job_variables, defaults_of, variables_of,
};
use crate::domain::parameters::{Required, Unfit};
use crate::domain::template::{BlockName, MOST_BLOCKS, blocks_named};

impl App {
    /// Checks what a run of a deployment would be started with, `own` variables over the
    /// deployment's over those of its pool: all has to be there that is required. Without a pool
    /// there is nothing to check.
    ///
    /// Fails as invalid where they do not do, saying so of `doing`, such as `creating flow run`.
    pub(in crate::app) async fn check_job_of_run(
        &self,
        deployment: &Deployment,
        own: Option<&JsonMap>,
        doing: &str,
    ) -> Result<()> {
        let Some(pool) = &deployment.work_pool_name else {
            return Ok(());
        };
        let mut given = deployment.job_variables.clone();
        given.extend(own.cloned().unwrap_or_default());
        let unfit = self.unfit_for_pool(pool, given, Required::Yes).await?;
        refused(unfit, &format!("Error {doing}"))
    }

    /// Checks what a deployment says itself, of which runs may say the rest.
    ///
    /// Fails as invalid where it does not do, and as not found where there is no such pool.
    pub(in crate::app) async fn check_job_of_deployment(
        &self,
        pool: &str,
        variables: &JsonMap,
    ) -> Result<()> {
        if variables.is_empty() {
            return Ok(());
        }
        let given = variables.clone();
        let unfit = self.unfit_for_pool(pool, given, Required::No).await?;
        refused(unfit, "Error creating deployment")
    }

    /// Checks the defaults of a pool's template.
    ///
    /// Fails as invalid where they do not do.
    pub(in crate::app) async fn check_template(&self, template: &JsonMap) -> Result<()> {
        let Some(variables) = variables_of(template).cloned() else {
            return Ok(());
        };
        let defaults = self.with_blocks(defaults_of(&variables)).await?;
        let checked = self.compute(move || check_defaults(defaults, &variables));
        let doing = "Validation failed for work pool's job variable defaults";
        refused(checked.await?.err(), doing)
    }

    /// Why variables do not do in a pool, if they do not.
    async fn unfit_for_pool(
        &self,
        pool: &str,
        given: JsonMap,
        required: Required,
    ) -> Result<Option<Unfit>> {
        let template = self.work_pool(pool).await?.base_job_template;
        let Some(variables) = variables_of(&template).cloned() else {
            return Ok(None);
        };
        let defaults = self.with_blocks(defaults_of(&variables)).await?;
        let checked =
            self.compute(move || check_job_variables(defaults, given, &variables, required));
        Ok(checked.await?.err())
    }

    /// Defaults with the values of blocks in the place of what refers to them.
    async fn with_blocks(&self, mut defaults: JsonMap) -> Result<JsonMap> {
        let named = blocks_named(defaults.values());
        if named.len() > MOST_BLOCKS {
            return Err(Error::invalid(format!(
                "The defaults of a pool refer to at most {MOST_BLOCKS} blocks."
            )));
        }
        let ids = named.into_iter().filter_map(|name| match name {
            BlockName::Id(id) => Some(id),
            BlockName::Named(..) => None,
        });
        let ids: Vec<_> = ids.collect();
        if ids.is_empty() {
            return Ok(defaults);
        }
        let seal = self.seal()?;
        self.read(move |db| {
            for default in defaults.values_mut() {
                let id = default
                    .get("$ref")
                    .and_then(|to| to.get("block_document_id"));
                let Some(id) = id.and_then(|id| id.as_str()) else {
                    continue;
                };
                // One that is no id names nothing.
                let id = Uuid::parse_str(id).map_err(|_| no_block())?;
                let values = values_of(db, &seal, &BlockName::Id(id.to_string()))?;
                *default = values.ok_or_else(no_block)?.into();
            }
            Ok(defaults)
        })
        .await
    }
}

fn no_block() -> Error {
    Error::not_found("Block")
}

/// As on the reference, a schema that is none is told without what was done.
fn refused(unfit: Option<Unfit>, doing: &str) -> Result<()> {
    match unfit {
        None => Ok(()),
        Some(unfit @ (Unfit::Misfit(_) | Unfit::Unresolvable(_))) => {
            Err(Error::new(Kind::Invalid, format!("{doing}: {unfit}")))
        }
        Some(unfit) => Err(Error::invalid(unfit.to_string())),
    }
}
