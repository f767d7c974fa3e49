//! Kubernetes' rules for names, labels, quantities and the like, as checks with messages for people.
