// Package host stands in for the host where there is none: in tests on one's own machine.
package host

import (
	"fmt"
	"sync"
)

var (
	lock    sync.Mutex
	answers = map[string]any{}
)

// Set says which function answers a call; nil takes it away again. It gives the one before.
func Set(call string, function any) any {
	lock.Lock()
	defer lock.Unlock()
	before := answers[call]
	if answers[call] = function; function == nil {
		delete(answers, call)
	}
	return before
}

// Answers says whether a call is answered.
func Answers(call string) bool {
	lock.Lock()
	defer lock.Unlock()
	return answers[call] != nil
}

// Answer gives the function that answers a call.
func Answer[F any](call string) F {
	lock.Lock()
	defer lock.Unlock()
	answer, ok := answers[call].(F)
	if !ok && answers[call] == nil {
		panic(fmt.Sprintf("%s is called, and there is no host here: mock.Answer says what it answers", call))
	}
	if !ok {
		panic(fmt.Sprintf("%s is answered by a %T, and has to be by a %T", call, answers[call], answer))
	}
	return answer
}
