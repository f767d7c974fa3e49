//! Who is asking, and what they may do.

mod document;
mod requests;
