//! Paths that have moved.

use axum::body::Bytes;
use axum::http::Uri;

use crate::api::dialect::V3;

/// What paths of work pools began with, and begin with now.
const POOLS: (&str, &str) = ("/experimental/work_pools/", "/work_pools/");
/// What the ends of paths of deployments were, and are.
const ENDS: [(&str, &str); 2] = [
    ("/set_schedule_active", "/resume_deployment"),
    ("/set_schedule_inactive", "/pause_deployment"),
];

/// Where it is now what was at `uri`; none where it is there still.
pub(super) fn now(uri: &Uri) -> Option<Uri> {
    let path = moved(uri.path().strip_prefix(V3)?)?;
    let query = uri.query().map(|query| format!("?{query}"));
    let whole = [V3, &path, query.as_deref().unwrap_or_default()].concat();
    Uri::from_maybe_shared(Bytes::from(whole)).ok()
}

/// The same of a path below the dialect's.
fn moved(path: &str) -> Option<String> {
    let (was, is) = POOLS;
    if let Some(rest) = path.strip_prefix(was) {
        return Some([is, rest].concat());
    }
    path.strip_prefix("/deployments/")?;
    ENDS.iter().find_map(|(was, is)| {
        let deployment = path.strip_suffix(was)?;
        Some([deployment, is].concat())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_moved_is_found_where_it_is() {
        let cases = [
            ("/experimental/work_pools/", Some("/work_pools/")),
            (
                "/experimental/work_pools/p/queues/filter?a=%2F",
                Some("/work_pools/p/queues/filter?a=%2F"),
            ),
            (
                "/deployments/x/set_schedule_active",
                Some("/deployments/x/resume_deployment"),
            ),
            (
                "/deployments/x/set_schedule_inactive",
                Some("/deployments/x/pause_deployment"),
            ),
            ("/deployments/x/pause_deployment", None),
            ("/work_pools/set_schedule_active", None),
            ("/experimental/other", None),
        ];
        for (was, is) in cases {
            let uri = [V3, was].concat().parse().unwrap();
            let is = is.map(|is| [V3, is].concat());
            assert_eq!(now(&uri).map(|uri| uri.to_string()), is, "{was}");
        }
        assert_eq!(now(&"/experimental/work_pools/".parse().unwrap()), None);
    }
}
