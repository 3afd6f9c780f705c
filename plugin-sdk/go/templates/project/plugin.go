// What the plugin does.
package main

import (
	"errors"
	"fmt"

	"windlass"
)

// With is what a step gives to the plugin.
type With struct {
	Name string `json:"name" doc:"Whom to greet."`
}

// Outputs are what a step gives to later ones.
type Outputs struct {
	Greeting string `json:"greeting" doc:"The greeting."`
}

func init() {
	windlass.Export(windlass.Plugin[With, Outputs]{
		Name:          "{{name}}",
		Version:       "0.1.0",
		Documentation: "Greets somebody.",
		Run:           greet,
	})
}

func greet(with With, step *windlass.Step) (Outputs, error) {
	if with.Name == "" {
		return Outputs{}, errors.New("there is nobody to greet")
	}
	greeting := "hello, " + with.Name
	fmt.Println(greeting)
	return Outputs{Greeting: greeting}, nil
}

// The host calls what is exported, and never this.
func main() {}
