// policies judges NetworkPolicies by simulation, where nothing enforces them: which traffic do they let through?
//
// It reads a Kubernetes List as JSON, as `kubectl get -o json` and `urumi render -o json` write it, with two fields more:
// "addresses", places outside of all pods by a name, and "ports", e.g. "443/TCP". It tries every pod and address with
// every other on each of these ports, and prints what is allowed where a store has part in it, e.g.
// "store-a/medusa-api -> store-a/postgres 5432/TCP". Pods are named by their namespace and their app.kubernetes.io/name;
// a workload's template counts as a pod.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Where a namespace's stores are told from others, and how a pod is called.
const (
	storeLabel = "store.urumi.ai/enabled"
	nameLabel  = "app.kubernetes.io/name"
)

type input struct {
	Items     []json.RawMessage
	Addresses map[string]string
	Ports     []string
}

type object struct {
	Kind     string
	Metadata meta.ObjectMeta
	Spec     json.RawMessage
	Status   core.PodStatus
}

type peer struct {
	name  string
	store bool
	at    *matcher.TrafficPeer
}

func main() {
	allowed, err := judge(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	for _, flow := range allowed {
		fmt.Println(flow)
	}
}

// judge returns the flows that are allowed, in order.
func judge(reader io.Reader) ([]string, error) {
	var in input
	if err := json.NewDecoder(reader).Decode(&in); err != nil {
		return nil, err
	}
	peers, policies, err := read(in)
	if err != nil {
		return nil, err
	}
	rules := matcher.BuildNetworkPolicies(false, policies)
	var allowed []string
	for _, text := range in.Ports {
		number, protocol, _ := strings.Cut(text, "/")
		port, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("the port %q is not like 443/TCP", text)
		}
		for _, from := range peers {
			for _, to := range peers {
				// Two pods of one name are replicas, which are not kept apart; among places outside nobody judges.
				if from.name == to.name || !from.store && !to.store {
					continue
				}
				traffic := &matcher.Traffic{Source: from.at, Destination: to.at, ResolvedPort: port, Protocol: core.Protocol(protocol)}
				if rules.IsTrafficAllowed(traffic).IsAllowed() {
					allowed = append(allowed, fmt.Sprintf("%s -> %s %s", from.name, to.name, text))
				}
			}
		}
	}
	slices.Sort(allowed)
	return slices.Compact(allowed), nil
}

// read finds who takes part, and the policies.
func read(in input) ([]peer, []*networking.NetworkPolicy, error) {
	namespaces := map[string]map[string]string{}
	var pods []object
	var policies []*networking.NetworkPolicy
	for _, item := range in.Items {
		var found object
		if err := json.Unmarshal(item, &found); err != nil {
			return nil, nil, err
		}
		switch found.Kind {
		case "Namespace":
			// The API server adds this label to every namespace.
			labels := map[string]string{core.LabelMetadataName: found.Metadata.Name}
			for name, value := range found.Metadata.Labels {
				labels[name] = value
			}
			namespaces[found.Metadata.Name] = labels
		case "Pod":
			pods = append(pods, found)
		case "Deployment", "StatefulSet", "Job":
			var spec struct{ Template core.PodTemplateSpec }
			if err := json.Unmarshal(found.Spec, &spec); err != nil {
				return nil, nil, err
			}
			found.Metadata.Labels = spec.Template.Labels
			pods = append(pods, found)
		case "NetworkPolicy":
			policy := &networking.NetworkPolicy{ObjectMeta: found.Metadata}
			if err := json.Unmarshal(found.Spec, &policy.Spec); err != nil {
				return nil, nil, err
			}
			if len(policy.Spec.PolicyTypes) == 0 {
				return nil, nil, fmt.Errorf("the NetworkPolicy %s does not say which directions it is about", found.Metadata.Name)
			}
			policies = append(policies, policy)
		}
	}

	var peers []peer
	for i, pod := range pods {
		namespace, labels := pod.Metadata.Namespace, pod.Metadata.Labels
		if _, known := namespaces[namespace]; !known {
			return nil, nil, fmt.Errorf("the namespace of %s is not given: %q", pod.Metadata.Name, namespace)
		}
		address := pod.Status.PodIP
		if address == "" {
			// One that has none yet gets any of those that clusters give to pods.
			address = fmt.Sprintf("10.244.%d.%d", i/250, 1+i%250)
		}
		inside := &matcher.InternalPeer{PodLabels: labels, NamespaceLabels: namespaces[namespace], Namespace: namespace}
		peers = append(peers, peer{
			name:  namespace + "/" + labels[nameLabel],
			store: namespaces[namespace][storeLabel] == "true",
			at:    &matcher.TrafficPeer{Internal: inside, IP: address},
		})
	}
	if len(peers) == 0 || len(in.Ports) == 0 {
		return nil, nil, errors.New("there is nothing to judge: no pods, or no ports")
	}
	for name, address := range in.Addresses {
		peers = append(peers, peer{name: name, at: &matcher.TrafficPeer{IP: address}})
	}
	return peers, policies, nil
}
