//! Whole-product tests and what they share.
