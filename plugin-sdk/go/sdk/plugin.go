// Package windlass is for plugins in Go. A plugin is a value: what it takes, what it gives, and what it does.
//
//	type With struct {
//		Name string `json:"name" doc:"Whom to greet."`
//	}
//
//	func init() {
//		windlass.Export(windlass.Plugin[With, windlass.Nothing]{
//			Name:          "greet",
//			Version:       "0.1.0",
//			Documentation: "Greets somebody.",
//			Run: func(with With, step *windlass.Step) (windlass.Nothing, error) {
//				fmt.Println("hello,", with.Name)
//				return windlass.Nothing{}, nil
//			},
//		})
//	}
//
//	func main() {}
//
// What a plugin does to the world it does through the packages docker, process, health, http, artifacts, approval,
// traffic, query, metrics and timer. A call is answered only if the plugin declares the capability in Uses and
// pipeline.toml grants it. What it prints goes to the step's log.
package windlass

import (
	"encoding/json"
	"fmt"

	_ "windlass/internal/files"
	"windlass/internal/step"
)

// A Plugin takes the step's `with` as a struct and gives its outputs as another. The tags of their fields say
// what they are called (json) and what they mean (doc); a field of `with` that is a pointer, or has omitempty,
// may be left out.
type Plugin[With, Outputs any] struct {
	// Name is the plugin's name, as "image-sizes".
	Name string
	// Version is the plugin's version, by semantic versioning.
	Version string
	// Documentation says what it does, in Markdown. The first line is its summary.
	Documentation string
	// Uses are the capabilities that the plugin requires or can use. A call of any other is denied.
	Uses []Use
	// Run does the work. An error says why the step failed, in words for the person who reads the run.
	Run func(with With, step *Step) (Outputs, error)
}

// Nothing is what a plugin takes or gives when there is nothing.
type Nothing struct{}

// A Use is a capability that a plugin declares.
type Use struct {
	// Capability is its name, as in `grants`.
	Capability Capability
	// Required says that the plugin cannot work without: a step that does not grant it fails the check.
	Required bool
	// Reason says what it is needed for.
	Reason string
}

// A Capability has to be declared. Logging, metrics and timers are always there.
type Capability string

const (
	// Approval is decisions of people: package approval.
	Approval Capability = "approval"
	// Artifacts is artifacts of the run: package artifacts.
	Artifacts Capability = "artifacts"
	// Docker is containers and images: package docker.
	Docker Capability = "docker"
	// Files is folders of the host: package os.
	Files Capability = "files"
	// Health is health checks: package health.
	Health Capability = "health"
	// HTTP is HTTP requests: packages http and httpclient.
	HTTP Capability = "http"
	// Process is programs on the host: package process.
	Process Capability = "process"
	// Query is monitoring systems: package query.
	Query Capability = "query"
	// Traffic is the traffic of services: package traffic.
	Traffic Capability = "traffic"
)

// A Step is where in the run a step stands.
type Step struct {
	// Pipeline is the pipeline's name.
	Pipeline string
	// Stage is the stage's name.
	Stage string
	// Step is the step's name.
	Step string
	// Run is the run's id.
	Run string
	// Attempt is which attempt this is, from 1.
	Attempt uint32

	summary string
}

// Summarize says in a line what the step did. It stands beside the step wherever the run is shown; the last
// call counts.
func (s *Step) Summarize(format string, args ...any) { s.summary = fmt.Sprintf(format, args...) }

// Export makes a plugin the component's own. It goes into the init function of the main package, whose main
// function is never called.
func Export[With, Outputs any](plugin Plugin[With, Outputs]) {
	step.Describe = func() step.Description { return describe(plugin) }
	step.Run = func(input step.Input) (step.Outcome, *step.Failure) { return run(plugin, input) }
}

func run[With, Outputs any](plugin Plugin[With, Outputs], input step.Input) (step.Outcome, *step.Failure) {
	var with With
	// The host has checked it against the schema; what is left are rules that a schema cannot say.
	if err := json.Unmarshal([]byte(input.With), &with); err != nil {
		return step.Outcome{}, failure(fmt.Errorf("`with` is not acceptable: %w", err))
	}
	at := &Step{Pipeline: input.Pipeline, Stage: input.Stage, Step: input.Step, Run: input.Run, Attempt: input.Attempt}
	given, err := plugin.Run(with, at)
	if err != nil {
		return step.Outcome{}, failure(err)
	}
	outputs, err := outputs(given)
	if err != nil {
		return step.Outcome{}, failure(err)
	}
	return step.Outcome{Summary: at.summary, Outputs: outputs}, nil
}
