pub mod api;
pub mod app;
pub mod clock;
pub mod domain;
pub mod storage;
