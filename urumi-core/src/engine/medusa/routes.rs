//! The Ingresses: the shop's and the API's addresses.

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend, IngressSpec,
    IngressTLS, ServiceBackendPort,
};

use super::contract::{api, storefront};
use super::parts;
use super::resolved::{ResolvedStore, TlsPlan};
use super::workload::Part;
use crate::engine::{Manifest, RenderError};
use crate::kubernetes::Object;

/// One Ingress for each host.
pub(super) fn manifests(store: &ResolvedStore<'_>) -> Result<Vec<Manifest>, RenderError> {
    let storefront = ingress(store, &parts::storefront(store), store.storefront_host(), storefront::SERVICE_PORT);
    let backend = ingress(store, &parts::api(store), store.api_host(), api::SERVICE_PORT);
    Ok(vec![Manifest::managed(Object::from_typed(&storefront)?), Manifest::managed(Object::from_typed(&backend)?)])
}

/// Everything at `host` goes to the part's Service.
fn ingress(store: &ResolvedStore<'_>, part: &Part<'_>, host: String, service_port: u16) -> Ingress {
    let mut annotations: BTreeMap<String, String> = store.options.ingress.annotations.clone();
    let certificate = match store.tls() {
        TlsPlan::Off => None,
        TlsPlan::Secret(name) => Some(name.to_owned()),
        TlsPlan::Issuer { annotation, name } => {
            annotations.insert(annotation.to_owned(), name.to_owned());
            Some(format!("{}-tls", part.name))
        }
    };
    let mut metadata = part.metadata();
    metadata.annotations = (!annotations.is_empty()).then_some(annotations);
    let backend = IngressBackend {
        service: Some(IngressServiceBackend {
            name: part.name.to_owned(),
            port: Some(ServiceBackendPort { number: Some(i32::from(service_port)), ..Default::default() }),
        }),
        ..Default::default()
    };
    let path = HTTPIngressPath { backend, path: Some("/".to_owned()), path_type: "Prefix".to_owned() };
    Ingress {
        metadata,
        spec: Some(IngressSpec {
            ingress_class_name: store.options.ingress.class_name.clone(),
            tls: certificate
                .map(|secret| vec![IngressTLS { hosts: Some(vec![host.clone()]), secret_name: Some(secret) }]),
            rules: Some(vec![IngressRule { host: Some(host), http: Some(HTTPIngressRuleValue { paths: vec![path] }) }]),
            ..Default::default()
        }),
        ..Default::default()
    }
}
