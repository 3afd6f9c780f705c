// Gathers what has changed, from a folder with a file for each change: `43.fix.md` is a fix, of issue 43.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"windlass"
	"windlass/log"
	"windlass/metrics"
	"windlass/value"
)

// With is what a step gives to the plugin.
type With struct {
	Folder string `json:"folder" doc:"The folder with the files, which has to be granted."`
}

// Outputs are what a step gives to later ones.
type Outputs struct {
	Changes []Change `json:"changes" doc:"The changes, in the order of their issues."`
}

// Change is one of them.
type Change struct {
	Issue int    `json:"issue"`
	Kind  string `json:"kind"`
	Text  string `json:"text"`
}

func init() {
	windlass.Export(windlass.Plugin[With, Outputs]{
		Name:          "changes",
		Version:       "0.1.0",
		Documentation: "Gathers what has changed, from a folder with a file for each change.",
		Run:           gather,
	})
}

func gather(with With, step *windlass.Step) (Outputs, error) {
	changes, err := read(os.DirFS(with.Folder))
	if err != nil {
		return Outputs{}, windlass.Hint(err, "a change is told in a file of its own, as 43.fix.md")
	}
	counts := map[string]int{}
	for _, change := range changes {
		log.Infof("#%d, %s: %s", change.Issue, change.Kind, change.Text)
		counts[change.Kind]++
	}
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		labels := []value.Pair{{Name: "kind", Value: kind}}
		metrics.Emit(metrics.Metric{Name: "changes", Value: float64(counts[kind]), Unit: "1", Labels: labels})
	}
	step.Summarize("%d changes", len(changes))
	return Outputs{Changes: changes}, nil
}

var name = regexp.MustCompile(`^(\d+)\.(breaking|feature|fix|docs)\.md$`)

// Reads all files, and tells everything that is wrong with them at once.
func read(folder fs.FS) ([]Change, error) {
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, err
	}
	var changes []Change
	var wrong []error
	for _, entry := range entries {
		parts := name.FindStringSubmatch(entry.Name())
		if parts == nil {
			wrong = append(wrong, fmt.Errorf("%s is no name for a change", entry.Name()))
			continue
		}
		text, err := fs.ReadFile(folder, entry.Name())
		issue, tooLarge := strconv.Atoi(parts[1])
		wrong = append(wrong, err, tooLarge)
		changes = append(changes, Change{Issue: issue, Kind: parts[2], Text: strings.TrimSpace(string(text))})
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Issue, b.Issue) })
	return changes, errors.Join(wrong...)
}

// The host calls what is exported, and never this.
func main() {}
