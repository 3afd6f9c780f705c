package windlass

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"windlass/docker"
	"windlass/internal/step"
)

type base struct {
	Level string `json:"level,omitempty" enum:"low,high" doc:"How loud."`
}

type with struct {
	base
	Whom    Strings           `json:"whom" doc:"Whom to greet."`
	Wait    *Duration         `json:"wait" doc:"How long to wait."`
	Limit   Size              `json:"limit,omitempty"`
	Port    uint16            `json:"port"`
	Token   Value             `json:"token"`
	Env     map[string]Value  `json:"env,omitempty"`
	Nested  []struct{ A int } `json:"nested,omitempty"`
	Any     json.RawMessage   `json:"any,omitempty"`
	ignored string
	Hidden  string `json:"-"`
}

type given struct {
	Text  string   `json:"text" doc:"What was said."`
	Count *uint32  `json:"count"`
	List  []string `json:"list"`
	Some  float64  `json:"some,omitempty"`
	All   bool     `json:"all"`
	Table map[string]string
}

func plugin(run func(with, *Step) (given, error)) Plugin[with, given] {
	uses := []Use{{Capability: HTTP, Reason: "to greet far away"}, {Capability: Docker, Required: true, Reason: "to greet"}}
	return Plugin[with, given]{Name: "greet", Version: "1.2.3", Documentation: "Greets.", Uses: uses, Run: run}
}

func TestDescriptionComesFromTypes(t *testing.T) {
	description := describe(plugin(nil))
	var schema struct {
		Properties           map[string]map[string]any
		Required             []string
		AdditionalProperties bool
	}
	schema.AdditionalProperties = true
	if err := json.Unmarshal([]byte(description.WithSchema), &schema); err != nil {
		t.Fatal(err)
	}
	if schema.AdditionalProperties {
		t.Error("a misspelt key would go unseen")
	}
	if wanted := []string{"whom", "port", "token"}; !reflect.DeepEqual(schema.Required, wanted) {
		t.Errorf("%v", schema.Required)
	}
	port := schema.Properties["port"]
	if port["type"] != "integer" || port["maximum"] != 65535.0 || port["minimum"] != 0.0 {
		t.Errorf("%v", port)
	}
	if level := schema.Properties["level"]; level["description"] != "How loud." || len(level["enum"].([]any)) != 2 {
		t.Errorf("%v", level)
	}
	if len(schema.Properties) != 9 {
		t.Errorf("%v", schema.Properties)
	}
	types := map[string]step.OutputType{}
	for _, output := range description.Outputs {
		types[output.Name] = output.Type
	}
	wanted := map[string]step.OutputType{
		"text": step.OutputTypeString, "count": step.OutputTypeNumber, "list": step.OutputTypeList,
		"some": step.OutputTypeNumber, "all": step.OutputTypeBool, "Table": step.OutputTypeObject,
	}
	if !reflect.DeepEqual(types, wanted) {
		t.Errorf("%v", types)
	}
	if use := description.Capabilities[1]; use.Name != "docker" || !use.Required {
		t.Errorf("%+v", use)
	}
}

func TestWithIsReadAndOutputsAreWritten(t *testing.T) {
	outcome, failed := run(plugin(func(with with, at *Step) (given, error) {
		if at.Stage != "build" || with.Wait.Millis() != 90_500 || with.Limit != 256<<20 || with.Port != 80 {
			return given{}, fmt.Errorf("%+v %+v", with, at)
		}
		if !with.Token.IsSecret || with.Env["A"].Text != "b" || with.Whom[0] != "you" || with.Level != "low" {
			return given{}, fmt.Errorf("%+v", with)
		}
		at.Summarize("greeted %s", with.Whom[0])
		return given{Text: "<hello>", List: []string{}, All: true}, nil
	}), step.Input{Stage: "build", With: `{"whom":"you","wait":"1m30.5s","limit":"256MiB","port":80,
		"token":{"secret":"t"},"env":{"A":"b"},"level":"low"}`})
	if failed != nil {
		t.Fatal(failed.Message)
	}
	var written []string
	for _, output := range outcome.Outputs {
		written = append(written, output.Name+" "+output.Value)
	}
	wanted := []string{`text "<hello>"`, "list []", "all true", "Table null"}
	if !reflect.DeepEqual(written, wanted) || outcome.Summary != "greeted you" {
		t.Errorf("%+v", outcome)
	}
}

func TestErrorsAreFailures(t *testing.T) {
	fails := func(err error) *step.Failure {
		_, failed := run(plugin(func(with, *Step) (given, error) { return given{}, err }), step.Input{With: "{}"})
		return failed
	}
	full := &docker.Error{Case: docker.DiskFull, Message: "no space"}
	failed := fails(fmt.Errorf("building: %w", full))
	if failed.Message != "building: no space" || failed.Hint == nil || *failed.Hint != full.Hint() {
		t.Errorf("%+v", failed)
	}
	if !errors.Is(fmt.Errorf("x: %w", full), docker.DiskFull) || errors.Is(full, docker.Denied) {
		t.Error("an error is of its case and no other")
	}
	if failed = fails(Hint(errors.New("why"), "what next")); failed.Message != "why" || *failed.Hint != "what next" {
		t.Errorf("%+v", failed)
	}
	if failed = fails(&docker.Error{Case: docker.NotFound}); failed.Message != "docker: not found" || failed.Hint != nil {
		t.Errorf("%+v", failed)
	}
	_, failed = run(plugin(nil), step.Input{With: `{"port":"x"}`})
	if failed == nil || failed.Message == "" {
		t.Errorf("%+v", failed)
	}
}

func TestDurationsAndSizes(t *testing.T) {
	for text, wanted := range map[string]time.Duration{
		"500ms": 500 * time.Millisecond, "1m30s": 90 * time.Second, "1.5h": 90 * time.Minute, "2d": 48 * time.Hour, "1m 5s": 65 * time.Second,
	} {
		var got Duration
		if err := got.UnmarshalText([]byte(text)); err != nil || got.Duration != wanted {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "5", "s", "5x", "-5s", "1..5s", "99999999999999d"} {
		var got Duration
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%s: %v", text, got)
		}
	}
	for text, wanted := range map[string]Size{"256MiB": 256 << 20, "1.5GiB": 3 << 29, "500MB": 500_000_000, "0B": 0, "1 KiB": 1024} {
		var got Size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != wanted {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "5", "5m", "MiB", "-1B", "1 XB", "99999999TiB"} {
		var got Size
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%s: %v", text, got)
		}
	}
}
