package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Mistakes that people make, each with what must be said about it.
var mistakes = []struct{ name, values, says string }{
	{"a misspelt section", "backnd: {replicas: 2}", "'backnd' not allowed"},
	{"a misspelt setting", "backend: {replica: 2}", "'replica' not allowed"},
	{"a text where a number belongs", "backend: {replicas: three}", "at '/backend/replicas': got string, want integer"},
	{"fewer replicas than none", "backend: {replicas: -1}", "at '/backend/replicas': minimum"},
	{"a domain with a scheme", "domain: https://stores.example.com", "at '/domain'"},
	{"a wildcard for a domain", "domain: '*.example.com'", "at '/domain'"},
	{"no domain", "domain: ''", "at '/domain'"},
	{"an image with its tag", "image: {repository: 'Example.com/urumi'}", "at '/image/repository'"},
	{"a policy that there is not", "image: {pullPolicy: Sometimes}", "at '/image/pullPolicy': value must be one of"},
	{"a digest cut off", "image: {digest: 'sha256:abc'}", "at '/image/digest'"},
	{"a token among the values", "auth: {tokens: {token: urumi_x}}", "'token' not allowed"},
	{"nobody recognised", "auth: {tokens: {enabled: false}}", "at '/auth': 'anyOf' failed"},
	{"an issuer whose tokens are for anybody", "auth: {oidc: {issuer: 'https://login.example.com'}}", "at '/auth/oidc/audiences': minItems"},
	{"a role that there is not", "auth: {roleBindings: ['owner=team:web']}", "at '/auth/roleBindings/0'"},
	{"TLS without an issuer", "tls: {enabled: true}", "at '/tls/issuer/name': minLength"},
	{"stores without their namespace's issuer", "tls: {enabled: true, mode: perHost, issuer: {kind: Issuer, name: a}}", "at '/tls/issuer/kind': value must be 'ClusterIssuer'"},
	{"an unknown option of stores", "stores: {defaults: {medusa: {api: {imge: x}}}}", "at '/stores/defaults/medusa/api': additional properties 'imge' not allowed"},
	{"an unknown engine", "stores: {defaults: {shopware: {}}}", "'shopware' not allowed"},
	{"too many replicas of a store", "stores: {defaults: {medusa: {api: {replicas: 100}}}}", "at '/stores/defaults/medusa/api/replicas': maximum"},
	{"a duration without a unit", "backend: {deadline: '15'}", "at '/backend/deadline'"},
	{"an address for a network", "backend: {trustedProxies: [10.42.0.1]}", "at '/backend/trustedProxies/0'"},
	{"a quantity of nothing", "backend: {resources: {limits: {memory: lots}}}", "at '/backend/resources/limits/memory'"},
	{"no controllers", "ingress: {controllerNamespaces: []}", "at '/ingress/controllerNamespaces': minItems"},
	{"a switch in words", "networkPolicy: {enabled: 'yes'}", "at '/networkPolicy/enabled': got string, want boolean"},
	{"a port that there is not", "networkPolicy: {apiServer: {ports: [70000]}}", "at '/networkPolicy/apiServer/ports/0': maximum"},
	{"an external Secret from nowhere", "auth: {tokens: {existingSecret: a, externalSecret: {enabled: true}}}", "at '/auth/tokens/externalSecret/storeName': minLength"},
	{"a ratio in percent", "monitoring: {prometheusRule: {errorRatio: 5}}", "at '/monitoring/prometheusRule/errorRatio': maximum"},
	{"a list where a map belongs", "backend: {env: [{name: A, value: b}]}", "at '/backend/env': got array, want object"},
	{"a variable from nowhere", "backend: {env: {A: {secretKeyRef: {name: a, key: b}}}}", "at '/backend/env/A'"},
	{"a foreign ServiceAccount without its name", "backend: {serviceAccount: {create: false}}", "at '/backend/serviceAccount/name': minLength"},
	{"a type of Service that there is not", "dashboard: {service: {type: Ingress}}", "at '/dashboard/service/type': value must be one of"},
	{"a load balancer's address", "ingress: {controllerCidrs: [10.0.0.1]}", "at '/ingress/controllerCidrs/0'"},
	{"pods of no name", "ingress: {controllerNamespaces: [kube-system/]}", "at '/ingress/controllerNamespaces/0'"},
	{"no DNS", "networkPolicy: {dns: {namespaces: []}}", "at '/networkPolicy/dns/namespaces': minItems"},
	{"a name with capitals", "fullnameOverride: Shop", "at '/fullnameOverride'"},
	{"users without any role", "auth: {tokenReview: {enabled: true}}\ntests: {enabled: false}", "set auth.roleBindings or auth.defaultRole"},
	{"a wildcard for a store's domain", "stores: {domains: ['*.example.com']}", "at '/stores/domains/0'"},
	{"a text that ends a rule", "stores: {imagePrefixes: [\"a', 'b\"]}", "at '/stores/imagePrefixes/0'"},
	{"annotations where their keys belong", "stores: {ingressAnnotationKeys: {a: b}}", "at '/stores/ingressAnnotationKeys': got object, want array"},
	{"a subject of no kind", "admissionPolicy: {recordWriters: [{name: a}]}", "at '/admissionPolicy/recordWriters/0': missing property 'kind'"},
	{"a ServiceAccount of no namespace", "admissionPolicy: {recordWriters: [{kind: ServiceAccount, name: a}]}", "at '/admissionPolicy/recordWriters/0': missing property 'namespace'"},
	{"a label with a space", "commonLabels: {team: my team}", "at '/commonLabels/team'"},
}

func TestMistakesAreRefusedAndSayWhere(t *testing.T) {
	for _, mistake := range mistakes {
		t.Run(mistake.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "values.yaml")
			if err := os.WriteFile(file, []byte(mistake.values), 0o600); err != nil {
				t.Fatal(err)
			}
			_, errors, err := helm("template", chart, "--values", file)
			if err == nil || !strings.Contains(errors, mistake.says) {
				t.Errorf("%v\n%s\ndoes not say %q", err, errors, mistake.says)
			}
		})
	}
}

func jsonSchema(t *testing.T) map[string]any {
	t.Helper()
	var schema map[string]any
	if err := json.Unmarshal([]byte(read(t, chart, "values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

// No object of the schema takes keys that nobody knows: it names them all, or says what their values are. Kubernetes knows the keys
// of its own objects, and other charts those of global values.
func TestTheSchemaRefusesUnknownKeysEverywhere(t *testing.T) {
	open := []string{"/$defs/kubernetes", "/properties/global"}
	count := 0
	var walk func(path string, at any)
	walk = func(path string, at any) {
		switch at := at.(type) {
		case map[string]any:
			if at["type"] == "object" {
				count++
				switch extra := at["additionalProperties"].(type) {
				case bool:
					if extra && !slices.Contains(open, path) {
						t.Errorf("%s takes anything", path)
					}
				case map[string]any:
				default:
					t.Errorf("%s does not say what else it takes", path)
				}
			}
			for key, inner := range at {
				walk(path+"/"+key, inner)
			}
		case []any:
			for index, inner := range at {
				walk(fmt.Sprintf("%s/%d", path, index), inner)
			}
		}
	}
	walk("", jsonSchema(t))
	if count < 50 {
		t.Errorf("only %d objects", count)
	}
}

// What stores can be given is the engine's own schema, word for word.
func TestTheSchemaOfStoresIsTheEngines(t *testing.T) {
	program := os.Getenv("URUMI")
	if program == "" {
		t.Skip("URUMI does not say where urumi is")
	}
	out, err := exec.Command(program, "--cluster", "memory", "engines", "medusa", "--output", "json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var engine struct{ Options map[string]any }
	if err := json.Unmarshal(out, &engine); err != nil {
		t.Fatal(err)
	}
	delete(engine.Options, "$schema")
	schema := jsonSchema(t)
	schema["$defs"].(map[string]any)["medusa"] = engine.Options
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		t.Fatal(err)
	}
	golden(t, text.String(), chart, "values.schema.json")
}

// A value, with its comment.
type setting struct{ path, value, says string }

// settingsOf are the leaves of values.yaml, in their order, and the comments of its sections.
func settingsOf(t *testing.T) ([]setting, map[string]string) {
	t.Helper()
	sections := map[string]string{}
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(read(t, chart, "values.yaml")), &document); err != nil {
		t.Fatal(err)
	}
	var all []setting
	var walk func(path string, node *yaml.Node)
	walk = func(path string, node *yaml.Node) {
		for at := 0; at < len(node.Content); at += 2 {
			key, value := node.Content[at], node.Content[at+1]
			here := strings.TrimPrefix(path+"."+key.Value, ".")
			section, comment, said := strings.Cut(key.HeadComment, "# -- ")
			if value.Kind == yaml.MappingNode && len(value.Content) > 0 && !said {
				sections[here] = strings.TrimPrefix(section, "# ")
				walk(here, value)
				continue
			}
			if !said {
				t.Errorf("%s has no comment that begins with `# -- `", here)
			}
			lines := strings.Split(comment, "\n")
			for index, line := range lines {
				lines[index] = strings.TrimSpace(strings.TrimPrefix(line, "#"))
			}
			var shown any
			if err := value.Decode(&shown); err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(shown)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, setting{here, string(text), strings.Join(lines, " ")})
		}
	}
	walk("", document.Content[0])
	return all, sections
}

// What to look at before a first installation.
var first = []string{"domain", "image.repository", "ingress.className", "ingress.controllerNamespaces", "tls.enabled"}

func TestTheReadmeListsAllValues(t *testing.T) {
	const head = "| value | default | what |\n|---|---|---|\n"
	all, sections := settingsOf(t)
	row := func(it setting) string {
		return fmt.Sprintf("| `%s` | `%s` | %s |\n", it.path, it.value, strings.ReplaceAll(it.says, "|", "\\|"))
	}
	beginning := head
	for _, path := range first {
		at := slices.IndexFunc(all, func(it setting) bool { return it.path == path })
		if at < 0 {
			t.Fatalf("there is no value %s", path)
		}
		beginning += row(all[at])
	}
	// Values of no section come first.
	names, tables := []string{""}, map[string]string{}
	for _, it := range all {
		name, _, inside := strings.Cut(it.path, ".")
		if !inside {
			name = ""
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		tables[name] += row(it)
	}
	var values strings.Builder
	for _, name := range names {
		title, about := "General", "Values of the whole installation."
		if name != "" {
			title, about = "`"+name+"`", sections[name]
		}
		if about == "" || !strings.HasSuffix(about, ".") {
			t.Errorf("the section %s begins with no sentence about it", name)
		}
		fmt.Fprintf(&values, "### %s\n\n%s\n\n%s%s\n", title, about, head, tables[name])
	}
	readme := read(t, chart, "README.md")
	for name, content := range map[string]string{"first": beginning + "\n", "values": values.String()} {
		begin, end := "<!-- "+name+": generated from values.yaml -->\n", "<!-- end of "+name+" -->\n"
		before, rest, ok := strings.Cut(readme, begin)
		_, after, closed := strings.Cut(rest, end)
		if !ok || !closed {
			t.Fatalf("README.md has no place for %s", name)
		}
		readme = before + begin + "\n" + content + end + after
	}
	golden(t, readme, chart, "README.md")
}

// Every value is in the schema, and everything that the schema takes is among the values.
func TestValuesAndSchemaSayTheSame(t *testing.T) {
	schema := jsonSchema(t)
	definitions := schema["$defs"].(map[string]any)
	resolve := func(at map[string]any) (map[string]any, string) {
		if name, ok := at["$ref"].(string); ok {
			name = strings.TrimPrefix(name, "#/$defs/")
			return definitions[name].(map[string]any), name
		}
		return at, ""
	}
	var listed []string
	var walk func(path string, at map[string]any)
	walk = func(path string, at map[string]any) {
		at, name := resolve(at)
		properties, ok := at["properties"].(map[string]any)
		if !ok || name == "medusa" || name == "quantities" {
			listed = append(listed, path)
			return
		}
		for key, inner := range properties {
			walk(strings.TrimPrefix(path+"."+key, "."), inner.(map[string]any))
		}
	}
	walk("", schema)
	documented := map[string]bool{}
	all, _ := settingsOf(t)
	for _, it := range all {
		path := it.path
		// What is documented one by one is one object in the schema.
		for _, parent := range []string{".requests.cpu", ".requests.memory"} {
			if head, ok := strings.CutSuffix(path, parent); ok {
				path = head + ".requests"
			}
		}
		documented[path] = true
		if !slices.Contains(listed, path) && !strings.HasSuffix(path, "grafanaDashboard.labels") && !strings.HasPrefix(path, "monitoring.grafanaDashboard.labels.") {
			t.Errorf("%s is not in the schema", path)
		}
	}
	for _, path := range listed {
		if !documented[path] {
			t.Errorf("%s is not in values.yaml", path)
		}
	}
}
