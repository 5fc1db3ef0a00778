//! Tests of the whole: the real binaries, spoken to as their clients speak.

#[cfg(test)]
mod support;

#[cfg(test)]
mod cli;
#[cfg(all(test, feature = "client"))]
mod client;
#[cfg(all(test, feature = "docker"))]
mod crash;
#[cfg(test)]
mod daemon;
#[cfg(all(test, feature = "docker"))]
mod docker;
#[cfg(test)]
mod orion;
#[cfg(test)]
mod rooms;
