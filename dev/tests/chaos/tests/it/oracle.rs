//! All that a store is made of, without what differs from one store to the next.

use std::collections::BTreeMap;

use base64::Engine as _;
use futures::StreamExt;
use http::Request;
use kube::discovery::{Discovery, Scope, verbs};
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

/// Objects by kind and name.
pub(crate) type Dump = BTreeMap<String, Vec<String>>;

/// The lists of all kinds that a namespace can hold, as the API server describes itself; of those, events tell what
/// happened and not what is.
static KINDS: OnceCell<Vec<(String, String)>> = OnceCell::const_new();

/// What is another for each store, or each time that it is looked at.
const PASSING: [&str; 36] = [
    "at",
    "addresses",
    "clusterIP",
    "clusterIPs",
    "completionTime",
    "containerID",
    "creationTimestamp",
    "finishedAt",
    "generation",
    "hostIP",
    "hostIPs",
    "hostPath",
    "imageID",
    "lastPhaseTransitionTime",
    "lastProbeTime",
    "lastTransitionTime",
    "lastUpdateTime",
    "managedFields",
    "nodeName",
    "observedGeneration",
    "podIP",
    "podIPs",
    "resourceVersion",
    "startTime",
    "startedAt",
    "store.urumi.ai/created-by",
    "store.urumi.ai/creation",
    "store.urumi.ai/history",
    "store.urumi.ai/idempotency",
    "store.urumi.ai/key-hash",
    "store.urumi.ai/provisioning-since",
    "tolerations",
    "volume.kubernetes.io/selected-node",
    "endpoints.kubernetes.io/last-change-trigger-time",
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/revision-history",
];

/// Everything in a store's namespace, the namespace itself, and the volumes that it claims.
pub(crate) async fn dump(client: &kube::Client, id: &str) -> kube::Result<Dump> {
    let namespace = format!("store-{id}");
    let kinds = KINDS.get_or_try_init(|| kinds(client)).await?;
    let get = async |kind: &str, path: String| -> kube::Result<Vec<Value>> {
        let found: Value = client.request(Request::get(path).body(Vec::new()).unwrap()).await?;
        let mut items = found["items"].as_array().cloned().unwrap_or_default();
        items.iter_mut().for_each(|item| item["kind"] = json!(kind));
        Ok(items)
    };
    let mut objects: Vec<Value> = Vec::new();
    let lists = futures::stream::iter(kinds).map(|(kind, path)| get(kind, path.replace("{namespace}", &namespace)));
    for list in lists.buffered(8).collect::<Vec<_>>().await {
        objects.extend(list?);
    }
    objects.extend(get("Namespace", format!("/api/v1/namespaces?fieldSelector=metadata.name={namespace}")).await?);
    let volumes = get("PersistentVolume", "/api/v1/persistentvolumes".to_owned()).await?;
    objects.extend(volumes.into_iter().filter(|volume| volume["spec"]["claimRef"]["namespace"] == *namespace));
    Ok(normalized(objects, id))
}

async fn kinds(client: &kube::Client) -> kube::Result<Vec<(String, String)>> {
    let discovery = Discovery::new(client.clone()).run().await?;
    let all = discovery.groups().flat_map(|group| group.recommended_resources());
    let listed = all.filter(|(_, can)| can.scope == Scope::Namespaced && can.supports_operation(verbs::LIST));
    let listed = listed.filter(|(resource, _)| resource.kind != "Event").map(|(resource, _)| {
        let api = if resource.group.is_empty() { "api".to_owned() } else { format!("apis/{}", resource.group) };
        let path = format!("/{api}/{}/namespaces/{{namespace}}/{}", resource.version, resource.plural);
        (resource.kind, path)
    });
    Ok(listed.collect())
}

fn normalized(mut objects: Vec<Value>, id: &str) -> Dump {
    let mut names: Vec<(String, String)> = objects.iter().flat_map(drawn).collect();
    names.push((id.to_owned(), "<id>".to_owned()));
    // A name may have a hash in it.
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    for object in &mut objects {
        if object["kind"] == "Secret" {
            conceal(object);
        }
        if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            for key in ["store.urumi.ai/conditions", "store.urumi.ai/revision", "store.urumi.ai/spec"] {
                if let Some(Value::String(text)) = annotations.get(key) {
                    let parsed = serde_json::from_str(text).unwrap();
                    annotations.insert(key.to_owned(), parsed);
                }
            }
        }
        clean(object);
    }
    let mut dump = Dump::new();
    for object in &objects {
        let mut text = serde_json::to_string_pretty(object).unwrap();
        let mut title =
            format!("{} {}", object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap());
        for (name, instead) in &names {
            text = text.replace(name.as_str(), instead);
            title = title.replace(name.as_str(), instead);
        }
        dump.entry(title).or_default().push(text);
    }
    dump.values_mut().for_each(|same| same.sort());
    dump
}

/// The names and hashes that others drew for an object, and what is shown instead.
fn drawn(object: &Value) -> Vec<(String, String)> {
    let metadata = &object["metadata"];
    let mut drawn = Vec::new();
    if let (Some(name), Some(stem)) = (metadata["name"].as_str(), metadata["generateName"].as_str()) {
        drawn.push((name.to_owned(), format!("{stem}*")));
    }
    for label in ["pod-template-hash", "controller-revision-hash", "controller.kubernetes.io/hash"] {
        if let Some(hash) = metadata["labels"][label].as_str() {
            drawn.push((hash.to_owned(), "<hash>".to_owned()));
        }
    }
    drawn.extend(metadata["uid"].as_str().map(|uid| (uid.to_owned(), "<uid>".to_owned())));
    drawn
}

/// Leaves of a secret's values how long they are, and where one is part of another.
fn conceal(secret: &mut Value) {
    let decode = |value: &Value| {
        let bytes = base64::engine::general_purpose::STANDARD.decode(value.as_str().unwrap_or_default());
        String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
    };
    let Some(data) = secret["data"].as_object() else { return };
    let plain: Map<String, Value> = data.iter().map(|(key, value)| (key.clone(), json!(decode(value)))).collect();
    let password = plain.get("POSTGRES_PASSWORD").and_then(Value::as_str).filter(|p| !p.is_empty());
    let concealed = plain.iter().map(|(key, value)| {
        let text = value.as_str().unwrap_or_default();
        let shown = match password {
            Some(password) if text.contains(password) => text.replace(password, "<password>"),
            _ => format!("<{} characters>", text.len()),
        };
        (key.clone(), json!(shown))
    });
    secret["data"] = Value::Object(concealed.collect());
}

fn clean(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|key, _| !PASSING.contains(&key.as_str()));
            fields.values_mut().for_each(clean);
            // What is left where all that was there was passing.
            fields.retain(|key, value| key != "annotations" || value.as_object().is_none_or(|map| !map.is_empty()));
        }
        Value::Array(items) => items.iter_mut().for_each(clean),
        // A storefront's key follows from the store's id.
        Value::String(text) if text.starts_with("pk_") => *text = "<key>".to_owned(),
        _ => {}
    }
}

/// Where two dumps differ.
pub(crate) fn difference(expected: &Dump, found: &Dump) -> Option<String> {
    let mut differences = Vec::new();
    for title in expected.keys().chain(found.keys()).collect::<std::collections::BTreeSet<_>>() {
        let (one, other) = (expected.get(title), found.get(title));
        if one == other {
            continue;
        }
        let lines = |dump: Option<&Vec<String>>| -> Vec<String> {
            dump.into_iter().flatten().flat_map(|text| text.lines()).map(str::to_owned).collect()
        };
        let (one, other) = (lines(one), lines(other));
        let only = |these: &[String], those: &[String], mark: char| -> String {
            these.iter().filter(|line| !those.contains(line)).map(|line| format!("{mark}{line}\n")).collect()
        };
        differences.push(format!("{title}:\n{}{}", only(&one, &other, '-'), only(&other, &one, '+')));
    }
    (!differences.is_empty()).then(|| differences.join("\n"))
}
