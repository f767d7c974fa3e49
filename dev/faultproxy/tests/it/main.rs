//! urumi behind a proxy that makes faults.
