//go:build !wasip1

// Package mock answers the calls of a plugin in tests, where there is no host.
//
//	mock.Answer(t, "docker.inspect", func(container string) (docker.Container, error) {
//		return docker.Container{Name: container}, nil
//	})
package mock

import (
	"testing"

	"windlass/internal/host"
)

// Answer says what a call answers until the end of the test. The call goes by its name in the contract, as
// "docker.inspect-image", and the function has the parameters and results of the one it stands for.
func Answer(t testing.TB, call string, function any) {
	t.Helper()
	before := host.Set(call, function)
	t.Cleanup(func() { host.Set(call, before) })
}
