// Package abi passes values between Go and the host, by the canonical ABI of WebAssembly components.
//
// What goes to the host lies in Go's own memory. The host reads it by addresses, which the collector does not take
// for pointers, so a Frame holds on to it until the call is over. Go does not move what lies on its heap. What comes
// from the host lies in memory that the collector does not know.
package abi
