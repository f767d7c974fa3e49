//! Which lists and maps of Kubernetes objects the API server merges by item, and which it takes whole.
//!
//! A path is the sequence of object keys that leads to the list or map, without the indexes of lists between, e.g.
//! `["spec", "template", "spec", "containers", "env"]`. The tables hold for the kinds that urumi and its engines use;
//! whatever is not in them is merged as the API server does with what it knows nothing of: lists whole, maps by key.

use serde_json::Value;

/// The keys by which items of a list are told apart; `None` for a list that is taken whole.
pub(crate) fn merge_keys(path: &[&str]) -> Option<&'static [&'static str]> {
    match path {
        ["metadata", "ownerReferences"] => Some(&["uid"]),
        ["status", "conditions"] => Some(&["type"]),
        // A Service's ports; those of a NetworkPolicy's rules are taken whole.
        ["spec", "ports"] => Some(&["port", "protocol"]),
        [.., "spec", "containers" | "initContainers" | "ephemeralContainers" | "volumes" | "imagePullSecrets"] => {
            Some(&["name"])
        }
        [.., "spec", "resourceClaims" | "schedulingGates"] => Some(&["name"]),
        [.., "spec", "hostAliases"] => Some(&["ip"]),
        [.., "spec", "topologySpreadConstraints"] => Some(&["topologyKey", "whenUnsatisfiable"]),
        [.., container, field] if is_container(container) => match *field {
            "env" => Some(&["name"]),
            "ports" => Some(&["containerPort", "protocol"]),
            "volumeMounts" => Some(&["mountPath"]),
            "volumeDevices" => Some(&["devicePath"]),
            _ => None,
        },
        [.., container, "resources", "claims"] if is_container(container) => Some(&["name"]),
        // A ServiceAccount's secrets.
        ["secrets"] => Some(&["name"]),
        _ => None,
    }
}

/// Whether a map selects: one key more selects something else, and the server adds none by itself.
pub(crate) fn is_selector(path: &[&str]) -> bool {
    matches!(
        path,
        ["spec", "selector"]
            | [.., "podSelector" | "namespaceSelector" | "labelSelector" | "objectSelector"]
            | [.., "spec", "nodeSelector"]
    )
}

/// Whether two items of a list have the same keys. A port without a protocol is a TCP port.
pub(crate) fn same_item(keys: &[&str], a: &Value, b: &Value) -> bool {
    let tcp = Value::from("TCP");
    keys.iter().all(|key| {
        let default = if *key == "protocol" { Some(&tcp) } else { None };
        a.get(key).or(default) == b.get(key).or(default)
    })
}

fn is_container(segment: &str) -> bool {
    matches!(segment, "containers" | "initContainers" | "ephemeralContainers")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn containers_are_told_apart_by_name_wherever_a_pod_is_described() {
        for path in [&["spec", "containers"][..], &["spec", "template", "spec", "initContainers"]] {
            assert_eq!(merge_keys(path), Some(&["name"][..]));
        }
        assert_eq!(merge_keys(&["spec", "template", "spec", "containers", "command"]), None);
    }

    #[test]
    fn ports_of_a_service_a_container_and_a_network_policy_differ() {
        assert_eq!(merge_keys(&["spec", "ports"]), Some(&["port", "protocol"][..]));
        assert_eq!(merge_keys(&["spec", "containers", "ports"]), Some(&["containerPort", "protocol"][..]));
        assert_eq!(merge_keys(&["spec", "ingress", "ports"]), None);
    }

    #[test]
    fn selectors_are_taken_whole() {
        assert!(is_selector(&["spec", "selector"]));
        assert!(is_selector(&["spec", "ingress", "from", "podSelector"]));
        assert!(!is_selector(&["spec"]));
        assert!(!is_selector(&["metadata", "labels"]));
    }

    #[test]
    fn a_port_without_a_protocol_is_a_tcp_port() {
        let keys = &["port", "protocol"];
        assert!(same_item(keys, &json!({"port": 80}), &json!({"port": 80, "protocol": "TCP"})));
        assert!(!same_item(keys, &json!({"port": 80}), &json!({"port": 80, "protocol": "UDP"})));
    }
}
