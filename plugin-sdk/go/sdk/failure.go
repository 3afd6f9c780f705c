package windlass

import (
	"errors"

	"windlass/internal/step"
)

// Hint says what to do about an error. It is shown beneath the step's failure.
func Hint(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &hinted{err, hint}
}

type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }
func (h *hinted) Hint() string  { return h.hint }

// failure is an error as the contract has it. The errors of capabilities know what to do about themselves.
func failure(err error) *step.Failure {
	failed := &step.Failure{Message: err.Error()}
	if failed.Message == "" {
		failed.Message = "the step failed without saying why"
	}
	var knows interface {
		error
		Hint() string
	}
	if errors.As(err, &knows) {
		if hint := knows.Hint(); hint != "" {
			failed.Hint = &hint
		}
	}
	return failed
}
