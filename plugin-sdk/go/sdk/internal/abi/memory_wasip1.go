package abi

import (
	"sync"
	"unsafe"
)

// What the host gives is written into memory that it asks for while its call, or ours, is still under way: it
// calls cabi_realloc back. A Go function that is called at such a moment must neither allocate nor let another
// goroutine run: the collector reads the clock and goroutines print, and both are calls of the host, which
// the component model forbids right there. So this memory is not Go's: the collector never sees it, and who
// receives something copies it.

// sbrk is how the Go runtime itself takes memory. Growing the memory in any other way would not do: the
// runtime takes what it gets for the continuation of what it has.
//
//go:linkname sbrk runtime.sbrk
func sbrk(size uintptr) unsafe.Pointer

const (
	smallest = 256 << 10
	largest  = 1 << 31
	refused  = ^uint32(7)
)

// An arena is one block that is filled from its start. A block at least twice as large takes its place when it
// is full; what is left behind is together never more than the newest block.
type arena struct{ block, size, used uint32 }

var (
	// Answers of calls that the plugin makes. From Begin to Done they belong to one goroutine.
	answers arena
	owned   sync.Mutex
	// Arguments of calls that the host makes. One such call is under way at a time.
	arguments arena
	// The plugin has called the host, and the host has not returned.
	calling bool
	// Go's packages are initialised. What was asked for before is the WASI adapter's own, for good.
	ready bool
)

func init() { ready = true }

// Begin begins a call of the host. No other goroutine calls it before Done.
func Begin() *Frame {
	owned.Lock()
	answers.used = 0
	return new(Frame)
}

// Enter goes directly before the call itself, and Leave directly behind it.
func (f *Frame) Enter() { calling = true }

// Leave goes directly behind the call itself.
func (f *Frame) Leave() { calling = false }

// Done ends a call whose answer has been copied.
func (f *Frame) Done() {
	f.kept = nil
	owned.Unlock()
}

// Called goes behind the copying of the arguments of a call that the host makes.
func Called() { arguments.used = 0 }

//go:wasmexport cabi_realloc
//go:nosplit
func realloc(old unsafe.Pointer, oldSize, align, size uint32) uint32 {
	a := &arguments
	if calling {
		a = &answers
	}
	from := Address(old)
	if from != 0 && from >= a.block && from+oldSize == a.block+a.used && from-a.block+size <= a.size {
		a.used = from - a.block + size
		return from
	}
	to := a.take(size, align)
	if from != 0 && to != refused {
		for i := uint32(0); i < min(oldSize, size); i++ {
			*(*byte)(At(to + i)) = *(*byte)(At(from + i))
		}
	}
	return to
}

// take gives memory, or an address that no memory has: the host ends the call with a trap that says so.
//
//go:nosplit
func (a *arena) take(size, align uint32) uint32 {
	if !ready {
		return more(size)
	}
	start := (a.used + align - 1) &^ (align - 1)
	if uint64(start)+uint64(size) > uint64(a.size) {
		wanted := max(smallest, 2*uint64(a.size))
		for wanted < uint64(size) {
			wanted *= 2
		}
		if wanted >= largest {
			return refused
		}
		block := more(uint32(wanted))
		if block == refused {
			return refused
		}
		a.block, a.size, start = block, uint32(wanted), 0
	}
	a.used = start + size
	return a.block + start
}

// more takes memory from the system: whole pages, so that any alignment is right.
//
//go:nosplit
func more(size uint32) uint32 {
	block := sbrk(uintptr(size))
	if block == nil {
		return refused
	}
	return Address(block)
}
