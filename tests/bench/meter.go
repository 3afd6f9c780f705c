// Makes as many calls as it is told to.
package main

import (
	"windlass"
	"windlass/log"
	"windlass/metrics"
)

// With is what a step gives to the plugin.
type With struct {
	Log  int `json:"log" doc:"How many lines to log."`
	Emit int `json:"emit" doc:"How many measurements to record."`
}

func init() {
	windlass.Export(windlass.Plugin[With, windlass.Nothing]{
		Name:          "meter",
		Version:       "0.1.0",
		Documentation: "Makes as many calls as it is told to.",
		Run: func(with With, step *windlass.Step) (windlass.Nothing, error) {
			for range with.Log {
				log.Infof("a line of the log")
			}
			for number := range with.Emit {
				metrics.Emit(metrics.Metric{Name: "meter", Value: float64(number), Unit: "1"})
			}
			return windlass.Nothing{}, nil
		},
	})
}

// The host calls what is exported, and never this.
func main() {}
