//! Tests of the Medusa engine.
