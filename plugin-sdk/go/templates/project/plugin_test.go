package main

import (
	"testing"

	"windlass"
)

func TestSomebodyIsGreeted(t *testing.T) {
	outputs, err := greet(With{Name: "world"}, &windlass.Step{})
	if err != nil || outputs.Greeting != "hello, world" {
		t.Errorf("%+v, %v", outputs, err)
	}
}

func TestNobodyIsNot(t *testing.T) {
	if _, err := greet(With{}, &windlass.Step{}); err == nil {
		t.Error("nobody was greeted")
	}
}
