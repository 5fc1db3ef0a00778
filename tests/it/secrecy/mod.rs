//! Every declared operation, by every kind of caller, with secrets wherever one can be.

mod elsewhere;
mod matrix;
mod pages;
mod planted;
#[cfg(feature = "docker")]
mod runs;

use prefectd::api::Need;

/// What must be in no answer to those who only look.
const CANARY: &str = "zz-canary-zz";

/// A path with each of its parameters filled in.
pub fn filled(path: &str, value: impl Fn(&str) -> String) -> String {
    let mut pieces = path.split('{');
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once('}').unwrap();
        whole.push_str(&value(name));
        whole.push_str(rest);
    }
    whole
}

/// Somebody who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asker {
    Operator,
    Viewer,
    /// A run of which the request names what is its own.
    Run,
    /// A run of which the request names what is another's.
    OtherRun,
    Stranger,
    Keyless,
}

impl Asker {
    /// Whether an operation with that need does what this one asks.
    fn may(self, need: Need) -> bool {
        match (self, need) {
            (Asker::Operator, _) | (_, Need::Open) => true,
            (Asker::Viewer, need) => matches!(need, Need::Read | Need::Inspect),
            (Asker::Run, Need::Aim) => true,
            (Asker::Run | Asker::OtherRun, need) => matches!(
                need,
                Need::Read | Need::Fetch | Need::Persist | Need::Register | Need::Take | Need::Set
            ),
            (Asker::Stranger | Asker::Keyless, _) => false,
        }
    }

    /// Checks the status that this one got.
    #[track_caller]
    fn check(self, asked: &planted::Asked, status: u16, text: &str) {
        let what = format!("{self:?}: {} {}: {status} {text}", asked.method, asked.path);
        let refusal = match self {
            Asker::Keyless => 401,
            _ => 403,
        };
        match self.may(asked.need) || (self == Asker::OtherRun && !asked.names_runs) {
            true => assert!(status != refusal && status < 500 && status != 0, "{what}"),
            false => assert_eq!(status, refusal, "{what}"),
        }
        if asked.need == Need::Aim && matches!(self, Asker::Operator | Asker::Run) {
            assert!(status < 300, "{what}");
        }
        let is_document = asked.need == Need::Fetch && self.may(asked.need);
        // A flow looks up its settings by their names.
        let is_setting = matches!(self, Asker::Run | Asker::OtherRun)
            && asked.method == "GET"
            && asked.path.starts_with("/api/v3/variables/name/");
        // Who is given a document's name may have the document.
        if !is_document && !is_setting && self != Asker::Operator {
            assert!(!text.contains(CANARY), "{what}");
        }
    }
}
