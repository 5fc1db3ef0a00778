use super::*;

fn settle(file: &str, flags: Flags) -> Result<Settings, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.toml");
    std::fs::write(&path, file).unwrap();
    let dropins = dir.path().join("p.toml.d");
    std::fs::create_dir(&dropins).unwrap();
    std::fs::write(dropins.join("10.toml"), "[agent]\nslots = 3\n").unwrap();
    let mut flags = flags;
    flags.config = Some(path);
    flags.state_dir = Some("/s".into());
    flags.socket = Some("/s/sock".into());
    read(flags)?.settle()
}

#[test]
fn the_later_one_wins() {
    let file = "[agent]\nslots = 2\npoll_secs = 9\n[server]\nlisten = [\"127.0.0.1:1\"]\n";
    let settings = settle(file, Flags::default()).unwrap();
    let agent = settings.agent;
    assert_eq!((agent.slots, agent.poll.as_secs()), (3, 9));
    assert!(settings.embedded_agent);
    assert_eq!(settings.listen, ["127.0.0.1:1".parse().unwrap()]);
    let flags = Flags {
        listen: vec!["127.0.0.1:2".parse().unwrap()],
        no_agent: true,
        ..Flags::default()
    };
    let settings = settle(file, flags).unwrap();
    assert_eq!(settings.listen, ["127.0.0.1:2".parse().unwrap()]);
    assert!(!settings.embedded_agent);
}

#[test]
fn the_file_that_is_shipped_names_every_setting_and_sets_none() {
    let shipped = include_str!("../../../systemd/prefectd.toml");
    let empty = settle("", Flags::default()).unwrap();
    assert_eq!(settle(shipped, Flags::default()).unwrap(), empty);
    let is_setting = |line: &&str| line.starts_with('#') && !line.starts_with("# ");
    let named = shipped.lines().filter(is_setting).count();
    let used = shipped.replace("\n#", "\n").replace("\n ", "\n# ");
    settle(&used, Flags::default()).unwrap();
    let table = include_str!("../../../README.md").lines();
    let rows = table.filter(|line| line.starts_with("| `") && line.contains('.'));
    let settings = rows.flat_map(|row| row.split('|').nth(1).unwrap_or_default().split('`'));
    let settings = settings.filter(|name| name.contains('.') && !name.ends_with(".*"));
    let settings: Vec<_> = settings.filter(|name| !name.starts_with('-')).collect();
    assert!(
        named > settings.len() && settings.len() > 15,
        "{settings:?}"
    );
    for setting in settings {
        let key = setting.rsplit('.').next().unwrap();
        assert!(shipped.contains(&format!("\n#{key} = ")), "{setting}");
    }
}

#[test]
fn the_file_that_is_shipped_tells_the_true_defaults() {
    let empty = settle("", Flags::default()).unwrap();
    let known = crate::config::known::all();
    let told = known.iter().filter(|one| one.default == one.example);
    let mut count = 0;
    for one in told {
        let (section, name) = one.key.rsplit_once('.').unwrap();
        let file = format!("[{section}]\n{name} = {}\n", one.default);
        if one.key != "agent.slots" {
            let set = settle(&file, Flags::default());
            assert_eq!(set.unwrap(), empty, "{}", one.key);
            count += 1;
        }
    }
    assert!(count > 10, "{count}");
}

#[test]
fn the_file_that_is_shipped_names_every_setting_that_is_read() {
    let known = crate::config::known::all();
    let mut sections: Vec<_> = known
        .iter()
        .filter_map(|one| one.key.rsplit_once('.').map(|(section, _)| section))
        .collect();
    sections.dedup();
    for section in sections {
        let figment = figment::Figment::from(figment::providers::Toml::string(&format!(
            "[{section}]\nnowhere = 1\n"
        )));
        use figment::providers::Format;
        let error = figment.extract::<Input>().unwrap_err();
        let figment::error::Kind::UnknownField(_, names) = error.kind else {
            panic!("{section}: {error}");
        };
        for name in names {
            let key = format!("{section}.{name}");
            let is_alias = name.ends_with("_hash");
            let is_section = known
                .iter()
                .any(|one| one.key.starts_with(&format!("{key}.")));
            let is_known = known.iter().any(|one| one.key == key);
            assert!(is_alias || is_section || is_known, "{key}");
        }
    }
}

#[test]
fn one_address_and_one_word_are_lists_too() {
    for (file, first) in [
        ("[server]\nlisten = \"localhost:1\"\n", "127.0.0.1:1"),
        (
            "[server]\nlisten = [\"localhost:1\", \"[::1]:2\"]\n",
            "127.0.0.1:1",
        ),
        ("[server]\nlisten = \"10.0.0.1:1\"\n", "10.0.0.1:1"),
    ] {
        let settings = settle(file, Flags::default()).unwrap();
        assert_eq!(settings.listen[0].to_string(), first, "{file}");
    }
    let settings = settle("[auth]\nviewers = \"staff\"\n", Flags::default());
    assert_eq!(settings.unwrap().auth.groups.viewers, ["staff"]);
}

#[test]
fn what_is_not_known_or_cannot_be_is_refused() {
    for (file, words) in [
        (
            "[agent]\nslotz = 2\n",
            &["p.toml", "agent.slotz", "did you mean agent.slots?"][..],
        ),
        (
            "[agents]\nslots = 2\n",
            &["p.toml", "agents", "did you mean agent?"],
        ),
        ("slots = 2\n", &["p.toml", "did you mean agent.slots?"]),
        (
            "[agent]\npoll_secs = \"many\"\n",
            &["p.toml", "agent.poll_secs is \"many\"", "whole number"],
        ),
        (
            "[agent]\nenabled = 3\n",
            &["agent.enabled is 3", "true or false"],
        ),
        ("docker = 3\n", &["p.toml", "docker is 3", "section"]),
        (
            "[server]\nlisten = [\"here\"]\n",
            &["p.toml", "server.listen", "ADDRESS:PORT"],
        ),
        (
            "[server]\nlisten = 4200\n",
            &["server.listen is 4200", "a list"],
        ),
        (
            "[docker]\npull = \"sometimes\"\n",
            &[
                "docker.pull is \"sometimes\"",
                "always, if-missing or never",
            ],
        ),
        (
            "[docker.maxima]\nmemory = \"lots\"\n",
            &["p.toml", "docker.maxima.memory"],
        ),
        ("[retention]\nlogs_days = 0\n", &["at least 1"]),
        (
            "[retention]\nflow_runs_days = -3\n",
            &["p.toml", "flow_runs_days", "-3"],
        ),
        ("[log]\nlevel = \"inof\"\n", &["log.level", "inof", "info"]),
        ("[agent\nslots = 2\n", &["p.toml", "line 1"]),
    ] {
        let refusal = settle(file, Flags::default()).unwrap_err().to_string();
        assert_eq!(refusal.lines().count(), 1, "{refusal}");
        for word in words {
            assert!(refusal.contains(word), "{file}: {refusal}");
        }
    }
    let flags = Flags {
        config: Some("/nowhere.toml".into()),
        ..Flags::default()
    };
    assert!(
        read(flags)
            .unwrap_err()
            .to_string()
            .contains("/nowhere.toml")
    );
}
