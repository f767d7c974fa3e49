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
	for _, name := range []string{"local", "prod"} {
		text := drawn.ReplaceAllString(text(t, "values-"+name+".yaml"), "${1}REDACTED")
		if strings.Contains(text, " \n") {
			t.Errorf("%s: lines end with spaces", name)
		}
		golden(t, text, chart, "tests", "rendered", name+".yaml")
	}
}

func TestLint(t *testing.T) {
	for _, values := range []string{"values.yaml", "values-local.yaml", "values-prod.yaml"} {
		out, errors, err := helm("lint", chart, "--strict", "--values", chart+"/"+values)
		if err != nil || strings.Contains(out, "[WARNING]") {
			t.Errorf("%s: %v\n%s%s", values, err, out, errors)
		}
	}
}
