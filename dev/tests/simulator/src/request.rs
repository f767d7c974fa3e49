//! A request to the cluster: the part of a process that sends it, and the write that it asks for.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Namespace;
use urumi_core::kubernetes::{Kind, MetadataPatch, Object, ObjectRef, Preconditions, Verb};
use urumi_core::monitor::leader::Leadership;

/// The namespace of the installation, in which the Lease is.
pub(crate) const INSTALLATION: &str = "urumi";
pub(crate) const LEASE: &str = "monitor";

/// The Lease that processes are elected over.
pub(crate) fn lease() -> ObjectRef {
    ObjectRef::namespaced(Kind::of::<Lease>(), INSTALLATION, LEASE)
}

/// The part of a process that sends a request.
#[derive(Clone, Debug)]
pub(crate) enum Role {
    /// The part that answers people.
    Request,
    /// The monitor, which may write only while it holds the leadership.
    Monitor(Leadership),
    /// The part that takes part in the election.
    Elector,
}

/// A write as it is sent.
pub(crate) enum Write {
    Create(Object),
    Apply(Object),
    Replace(Object),
    Metadata(ObjectRef, MetadataPatch),
    Delete(ObjectRef, Preconditions),
}

impl Write {
    pub(crate) fn verb(&self) -> Verb {
        match self {
            Write::Create(_) => Verb::Create,
            Write::Apply(_) => Verb::Apply,
            Write::Replace(_) => Verb::Replace,
            Write::Metadata(..) => Verb::PatchMetadata,
            Write::Delete(..) => Verb::Delete,
        }
    }

    pub(crate) fn target(&self) -> ObjectRef {
        match self {
            Write::Create(object) | Write::Apply(object) | Write::Replace(object) => object.reference(),
            Write::Metadata(object, _) | Write::Delete(object, _) => object.clone(),
        }
    }
}

/// The address of a namespace.
pub(crate) fn namespace(name: &str) -> ObjectRef {
    ObjectRef::cluster(Kind::of::<Namespace>(), name)
}
