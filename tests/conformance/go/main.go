// The conformance plugin in Go: makes the calls that it is told to make and gives back the answers, as
// tests/guests/asks does.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"

	"windlass"
	"windlass/log"
)

// With is what it is told.
type With struct {
	Calls   []Call          `json:"calls" doc:"The calls, in this order."`
	Then    string          `json:"then,omitempty" enum:"succeed,fail,trap,spin" doc:"What to do when all calls are made."`
	Summary string          `json:"summary,omitempty" doc:"The step's summary."`
	Say     string          `json:"say,omitempty" doc:"What to log at the start."`
	Echo    json.RawMessage `json:"echo,omitempty" doc:"Anything: given back as the output echo."`
	Busy    bool            `json:"busy,omitempty" doc:"Whether goroutines make the calls while others allocate and the collector always runs; repeated answers have to be the same."`
}

// Call is a call.
type Call struct {
	Function string    `json:"function" doc:"The function, as docker.run."`
	Args     arguments `json:"args,omitempty" doc:"Its arguments by their names."`
	Times    *uint32   `json:"times,omitempty" doc:"How often to make it; its last answer counts."`
	Or       string    `json:"or,omitempty" enum:"go-on,fail" doc:"What to do if it answers with an error."`
}

// Outputs are what came of it.
type Outputs struct {
	Answers []any          `json:"answers" doc:"The answer of each call: { ok = ... }, or { err = { denied = ... } }."`
	Last    map[string]any `json:"last" doc:"The last answer by itself."`
	Errors  uint32         `json:"errors" doc:"How many answers are errors."`
	Echo    *string        `json:"echo" doc:"What with.echo holds, as JSON text."`
	Attempt uint32         `json:"attempt" doc:"Which attempt of the step this is."`
	Place   string         `json:"place" doc:"The run, and the pipeline, stage and step."`
}

func init() {
	var uses []windlass.Use
	for _, capability := range []windlass.Capability{
		windlass.Approval, windlass.Artifacts, windlass.Docker, windlass.Health, windlass.HTTP, windlass.Process,
		windlass.Query, windlass.Traffic,
	} {
		reason := fmt.Sprintf("for calls of `%s`", capability)
		uses = append(uses, windlass.Use{Capability: capability, Reason: reason})
	}
	windlass.Export(windlass.Plugin[With, Outputs]{
		Name:          "conformance",
		Version:       "0.1.0",
		Documentation: "Makes the calls that it is told to make, and gives back the answers.",
		Uses:          uses,
		Run:           run,
	})
}

func main() {}

func run(with With, step *windlass.Step) (Outputs, error) {
	if with.Say != "" {
		log.Infof("%s", with.Say)
	}
	if with.Busy {
		defer makeBusy()()
	}
	outputs := Outputs{Answers: []any{}, Last: map[string]any{}, Attempt: step.Attempt}
	for _, call := range with.Calls {
		answer, err := call.make(with.Busy)
		if err != nil {
			return Outputs{}, fmt.Errorf("%s: %w", call.Function, err)
		}
		if failed, ok := answer["err"]; ok {
			outputs.Errors++
			if call.Or == "fail" {
				return Outputs{}, fmt.Errorf("%s: %s", call.Function, message(failed))
			}
		}
		outputs.Answers = append(outputs.Answers, answer)
		outputs.Last = answer
	}
	switch with.Then {
	case "fail":
		answers, err := json.Marshal(outputs.Answers)
		if err != nil {
			return Outputs{}, err
		}
		return Outputs{}, fmt.Errorf("told to fail; answers: %s", answers)
	case "trap":
		panic("told to trap")
	case "spin":
		for {
		}
	}
	if with.Summary != "" {
		step.Summarize("%s", with.Summary)
	}
	if with.Echo != nil {
		outputs.Echo = windlass.Ptr(string(with.Echo))
	}
	outputs.Place = fmt.Sprintf("%s %s/%s/%s", step.Run, step.Pipeline, step.Stage, step.Step)
	return outputs, nil
}

// make makes a call as often as it says, and gives its last answer.
func (c Call) make(busy bool) (answer map[string]any, err error) {
	call, ok := calls[c.Function]
	if !ok {
		return nil, errors.New("there is no such function")
	}
	// What reads arguments panics with what is wrong with them.
	defer func() {
		if found := recover(); found != nil {
			wrong, ok := found.(wrongArgument)
			if !ok {
				panic(found)
			}
			err = errors.New(string(wrong))
		}
	}()
	times := uint32(1)
	if c.Times != nil {
		times = *c.Times
	}
	if busy {
		return c.together(call, times)
	}
	for range times {
		answer = call(&fields{values: c.Args}).(map[string]any)
	}
	return answer, nil
}

// together lets goroutines make a call, whose answer is always the same.
func (c Call) together(call func(*fields) any, times uint32) (map[string]any, error) {
	const goroutines = 4
	first := call(&fields{values: c.Args}).(map[string]any)
	found := make(chan error)
	for number := range uint32(goroutines) {
		go func() {
			for round := number + 1; round < times; round += goroutines {
				runtime.Gosched()
				if answer := call(&fields{values: c.Args}); !reflect.DeepEqual(answer, any(first)) {
					found <- fmt.Errorf("answer %d is not the first: %v", round, answer)
					return
				}
			}
			found <- nil
		}()
	}
	var err error
	for range goroutines {
		err = errors.Join(err, <-found)
	}
	return first, err
}

// message is the text of an error, whichever case it is.
func message(failed any) string {
	for _, text := range failed.(map[string]any) {
		return fmt.Sprint(text)
	}
	return fmt.Sprint(failed)
}

// makeBusy lets the collector run after every hundredth of new memory, and goroutines give it something to do. The
// function that it gives ends that.
func makeBusy() func() {
	before := debug.SetGCPercent(1)
	done := false
	for number := range 2 {
		go func() {
			var kept []string
			for size := 1; !done; size = (size*7 + number) % 65_537 {
				if kept = append(kept, strings.Repeat("x", size)); len(kept) > 16 {
					kept = kept[8:]
				}
				runtime.Gosched()
			}
		}()
	}
	return func() {
		done = true
		debug.SetGCPercent(before)
	}
}
