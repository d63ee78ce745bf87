//! Reports: the model, and one file per format. Formats are pure: they write a finished report and decide nothing.

pub mod model;
