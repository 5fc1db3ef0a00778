//! A machine that takes mail by SMTP.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::support::wait_for;

/// A mail that came: from whom, for whom, and the text of it.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    pub login: String,
    pub from: String,
    pub to: Vec<String>,
    pub text: String,
}

/// Takes mail.
pub struct Postbox {
    port: u16,
    came: Arc<Mutex<Vec<Letter>>>,
}

impl Postbox {
    /// One that says no to whom `refused` is part of.
    pub fn new(refused: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let came = Arc::<Mutex<Vec<Letter>>>::default();
        let kept = Arc::clone(&came);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || drop(talk(stream, &kept, refused)));
            }
        });
        Self { port, came }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The mails that came, once there are so many.
    #[track_caller]
    pub fn after(&self, count: usize) -> Vec<Letter> {
        wait_for("mail", || {
            let came = self.came.lock().unwrap().clone();
            (came.len() >= count).then_some(came)
        })
    }
}

fn talk(stream: TcpStream, kept: &Mutex<Vec<Letter>>, refused: &str) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    let mut letter = Letter::default();
    out.write_all(b"220 postbox\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let answer = match line.split_at_checked(4).unwrap_or((&line, "")) {
            ("EHLO", _) => "250-postbox\r\n250-AUTH PLAIN\r\n250 8BITMIME",
            ("AUTH", how) => {
                letter.login = how.to_owned();
                "235 welcome"
            }
            ("MAIL", from) => {
                letter.from = from.to_owned();
                "250 ok"
            }
            ("RCPT", to) if !refused.is_empty() && to.contains(refused) => "550 nobody here",
            ("RCPT", to) => {
                letter.to.push(to.to_owned());
                "250 ok"
            }
            ("DATA", _) => {
                out.write_all(b"354 go on\r\n")?;
                while let Some(line) = lines.next().transpose()?.filter(|line| line != ".") {
                    letter.text.push_str(&line);
                    letter.text.push('\n');
                }
                kept.lock().unwrap().push(std::mem::take(&mut letter));
                "250 taken"
            }
            _ => "250 ok",
        };
        write!(out, "{answer}\r\n")?;
    }
    Ok(())
}
