//! Conversations on websockets as they are written in `talks/`, each up to the next empty line:
//!
//! ```text
//! open PATH            opens one, and says who it is
//! raw PATH             opens one, and says nothing
//! bare PATH            opens one without the subprotocol
//! say JSON             says something
//! hear                 what comes next: a message, how it is closed, or nothing
//! settle               gives both the time to hear what was said
//! end                  closes it
//! deliberate NAME      what is told may differ on purpose, in some of these conversations
//! ```
//!
//! Other lines are calls, and `$` and `\` mean the same as in them (`script`). `{now}` is the time, and
//! `{new}` an id. Values of a `$` hold
//! for the conversations below.

use std::time::Duration;

use serde_json::{Value, json};

use super::script::{self, Variable};
use crate::oracle::pair::Pair;
use crate::support::socket::Socket;

/// How long nothing has to come so that nothing does.
const SILENCE: Duration = Duration::from_millis(1500);

/// How long that server takes at most to hear what is said.
const SETTLING: Duration = Duration::from_millis(500);

/// Has the conversations of a theme; how many there were.
pub fn hold(pair: &mut Pair, theme: &str) -> usize {
    let text = script::text("talks", theme);
    let mut variables = Vec::new();
    let mut count = 0;
    for talk in text.split("\n\n") {
        let lines = talk.lines().filter(|line| !line.starts_with('#'));
        let is_set = |line: &&str| line.starts_with('$') && line.contains(" = [");
        let (sets, lines): (Vec<_>, Vec<_>) = lines.partition(is_set);
        for line in sets {
            script::set(&mut variables, line);
        }
        if !lines.is_empty() {
            count += held(pair, &lines.join("\n"), &variables);
        }
    }
    count
}

fn held(pair: &mut Pair, talk: &str, variables: &[Variable]) -> usize {
    let all = script::expanded(talk.to_owned(), variables);
    let count = all.len();
    for talk in all {
        let before = pair.unexplained.len();
        let mut deliberate = None;
        let mut sockets = None;
        for line in talk.lines() {
            match line.strip_prefix("deliberate ") {
                Some(reason) => deliberate = Some(reason.to_owned()),
                None => step(pair, line, &mut sockets),
            }
        }
        for told in pair.unexplained.iter_mut().skip(before) {
            told.insert_str(0, &format!("{talk}\n  "));
        }
        if let Some(reason) = deliberate
            && pair.unexplained.len() > before
        {
            pair.unexplained.truncate(before);
            pair.met.push(reason);
        }
    }
    count
}

fn step(pair: &mut Pair, line: &str, sockets: &mut Option<[Option<Socket>; 2]>) {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "open" | "raw" | "bare" => {
            let paths = pair.filled(rest);
            let ports = pair.ports();
            let opened = [0, 1].map(|side| open(ports[side], &paths[side], word));
            let told = opened.each_ref().map(|(_, told)| told.clone());
            pair.told(line, &told);
            *sockets = Some(opened.map(|(socket, _)| socket));
        }
        "say" => {
            let texts = pair.filled(rest);
            for (socket, text) in sockets.iter_mut().flatten().zip(texts) {
                if let Some(socket) = socket {
                    socket.say_text(text);
                }
            }
        }
        "hear" => {
            let mut heard = [Value::Null, Value::Null];
            for (socket, heard) in sockets.iter_mut().flatten().zip(&mut heard) {
                if let Some(socket) = socket {
                    *heard = socket.next_within(SILENCE);
                }
            }
            pair.told(line, &heard);
        }
        // Until what was said has been heard.
        "settle" => std::thread::sleep(SETTLING),
        "end" => {
            for socket in sockets.take().into_iter().flatten().flatten() {
                socket.close();
            }
        }
        _ => script::call(pair, line, None),
    }
}

/// An open socket, and what was told on the way.
fn open(port: u16, path: &str, how: &str) -> (Option<Socket>, Value) {
    let prefect = [("sec-websocket-protocol", "prefect")];
    let headers = if how == "bare" { &[][..] } else { &prefect[..] };
    let mut socket = match Socket::at(port, path, headers) {
        Ok(socket) => socket,
        Err(error) => match *error {
            tungstenite::Error::Http(response) => {
                return (None, json!({ "refused": response.status().as_u16() }));
            }
            other => return (None, json!({ "refused": other.to_string() })),
        },
    };
    if how != "open" {
        return (Some(socket), json!("open"));
    }
    socket.say(&json!({ "type": "auth", "token": null }));
    let told = socket.next_within(SILENCE * 4);
    (Some(socket), told)
}
