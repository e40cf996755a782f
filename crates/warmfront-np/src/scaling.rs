//! From costs to the values that the network sees.
