package tests

import (
	"regexp"
	"strings"
	"testing"
)

// What the chart renders with each values file is kept: a change shows in a review.
func TestRenderedManifestsAreThoseThatAreKept(t *testing.T) {
	// What is drawn anew each time.
	drawn := regexp.MustCompile(`(?m)^(  (?:token|tokens\.yaml): ).+$`)
	for name, values := range map[string]string{"local": local, "prod": prod} {
		text := drawn.ReplaceAllString(text(t, values), "${1}REDACTED")
		if strings.Contains(text, " \n") {
			t.Errorf("%s: lines end with spaces", name)
		}
		golden(t, text, chart, "tests", "rendered", name+".yaml")
	}
}

func TestLint(t *testing.T) {
	for _, values := range append(presets(t), "", local, "values-prod.yaml") {
		out, errors, err := helm(append([]string{"lint", chart, "--strict"}, valuesArgs(values)...)...)
		if err != nil || strings.Contains(out, "[WARNING]") || strings.Contains(out, "[INFO]") {
			t.Errorf("%s: %v\n%s%s", values, err, out, errors)
		}
	}
}
