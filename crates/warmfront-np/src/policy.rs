//! A trained network with what is needed to serve it.
