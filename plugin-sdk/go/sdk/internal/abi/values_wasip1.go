package abi

import "unsafe"

// A Frame keeps what is passed in one call.
type Frame struct{ kept []unsafe.Pointer }

// Area gives zeroed memory for values that are passed by address. It is aligned for all of them.
func (f *Frame) Area(size int) unsafe.Pointer {
	if size == 0 {
		return nil
	}
	area := unsafe.Pointer(unsafe.SliceData(make([]uint64, (size+7)/8)))
	f.kept = append(f.kept, area)
	return area
}

// String gives the address of a text.
func (f *Frame) String(text string) uint32 {
	start := unsafe.Pointer(unsafe.StringData(text))
	f.kept = append(f.kept, start)
	return Address(start)
}

// Bytes gives the address of bytes.
func (f *Frame) Bytes(bytes []byte) uint32 {
	start := unsafe.Pointer(unsafe.SliceData(bytes))
	f.kept = append(f.kept, start)
	return Address(start)
}

// PutString writes where a text is.
func (f *Frame) PutString(at unsafe.Pointer, offset int, text string) {
	Put(at, offset, f.String(text))
	Put(at, offset+4, uint32(len(text)))
}

// PutBytes writes where bytes are.
func (f *Frame) PutBytes(at unsafe.Pointer, offset int, bytes []byte) {
	Put(at, offset, f.Bytes(bytes))
	Put(at, offset+4, uint32(len(bytes)))
}

// PutList writes where a list is, and gives the memory for its elements.
func (f *Frame) PutList(at unsafe.Pointer, offset, length, size int) unsafe.Pointer {
	elements := f.Area(length * size)
	Put(at, offset, Address(elements))
	Put(at, offset+4, uint32(length))
	return elements
}

// Put writes a number.
func Put[T number](at unsafe.Pointer, offset int, value T) { *(*T)(unsafe.Add(at, offset)) = value }

// Get reads a number.
func Get[T number](at unsafe.Pointer, offset int) T { return *(*T)(unsafe.Add(at, offset)) }

// PutBool writes true or false.
func PutBool(at unsafe.Pointer, offset int, value bool) { *(*bool)(unsafe.Add(at, offset)) = value }

// GetBool reads true or false.
func GetBool(at unsafe.Pointer, offset int) bool { return Get[uint8](at, offset) != 0 }

// Flag is how true and false are passed by themselves.
func Flag(value bool) uint32 {
	if value {
		return 1
	}
	return 0
}

// Text copies a text that the host has written.
func Text(address, length uint32) string {
	return string(unsafe.Slice((*byte)(At(address)), length))
}

// GetString copies a text that the host has written.
func GetString(at unsafe.Pointer, offset int) string {
	return Text(Get[uint32](at, offset), Get[uint32](at, offset+4))
}

// GetBytes copies bytes that the host has written.
func GetBytes(at unsafe.Pointer, offset int) []byte {
	start, length := GetList(at, offset)
	return append([]byte{}, unsafe.Slice((*byte)(start), length)...)
}

// GetList gives the elements of a list, and how many they are.
func GetList(at unsafe.Pointer, offset int) (unsafe.Pointer, int) {
	return At(Get[uint32](at, offset)), int(Get[uint32](at, offset+4))
}

// Address is what the host knows a pointer by.
func Address(pointer unsafe.Pointer) uint32 { return uint32(uintptr(pointer)) }

// At is the pointer to an address.
func At(address uint32) unsafe.Pointer { return unsafe.Pointer(uintptr(address)) }

type number interface {
	~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int32 | ~int64 | ~float64
}
