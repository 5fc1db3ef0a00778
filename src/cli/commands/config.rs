//! The daemon's settings, as it goes by them.

use serde_json::Value;

use super::Ctl;
use crate::api::v3::wire::Setting;
use crate::cli::failure::Result;
use crate::cli::render::{self, keep, spare};

/// Prints each setting with its source; those that are default only when `all` are wanted.
pub async fn show(ctl: &Ctl, all: bool) -> Result<()> {
    let mut settings: Vec<Setting> = ctl.client.get("/prefectd/settings").await?;
    settings.retain(|setting| all || setting.source != "default");
    render::print(ctl.output, &settings, |settings| shown(settings))
}

fn shown(settings: &[Setting]) -> String {
    if settings.is_empty() {
        return "everything is as it is by default; --all shows it".to_owned();
    }
    let rows = settings.iter().map(|setting| {
        let value = match &setting.value {
            // Words are told as they are where they are no TOML value, as in "no limit".
            Value::String(words) if setting.source == "default" => words.clone(),
            value => value.to_string(),
        };
        [setting.key.clone(), value, setting.source.clone()]
    });
    render::table([keep("setting"), keep("value"), spare("source", 1)], rows)
}
