//! `/stores`: what is asked, and what is answered.

mod changing;
mod creating;
mod keys;
mod limits;
mod listing;
mod replaced;
