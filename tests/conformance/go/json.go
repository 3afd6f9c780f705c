package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// wrongArgument is what is wrong with the arguments of a call: it is panicked with while they are read.
type wrongArgument string

func wrong(format string, args ...any) wrongArgument {
	return wrongArgument(fmt.Sprintf(format, args...))
}

func noCase(name string) wrongArgument { return wrong("there is no case `%s`", name) }

// fields are the fields of a record, or arguments by their names.
type fields struct {
	values map[string]any
	taken  []string
}

// arguments keep all digits of numbers.
type arguments map[string]any

// UnmarshalJSON reads them.
func (a *arguments) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode((*map[string]any)(a))
}

func object(v any) *fields {
	values, ok := v.(map[string]any)
	if !ok {
		panic(wrong("%v is no object", v))
	}
	return &fields{values: values}
}

// take gives a field; one that is left out is nil, which only some accept.
func (f *fields) take(name string) any {
	f.taken = append(f.taken, name)
	return f.values[name]
}

// done refuses what nobody took.
func (f *fields) done() {
	for name := range f.values {
		if !slices.Contains(f.taken, name) {
			panic(wrong("there is no argument `%s`", name))
		}
	}
}

func readBool(v any) bool {
	switch value := v.(type) {
	case nil:
		return false
	case bool:
		return value
	}
	panic(wrong("%v is neither true nor false", v))
}

func readText(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	panic(wrong("%v is no text", v))
}

func readBytes(v any) []byte {
	switch value := v.(type) {
	case nil:
		return []byte{}
	case string:
		return []byte(value)
	}
	return readList(readNumber[uint8])(v)
}

func readNumber[T uint8 | uint16 | uint32 | uint64 | int32 | int64 | float64](v any) (number T) {
	digits, ok := v.(json.Number)
	if !ok {
		panic(wrong("%v is no number", v))
	}
	// JSON knows what fits.
	if json.Unmarshal([]byte(digits), &number) != nil {
		panic(wrong("%v is out of range", v))
	}
	return number
}

func readList[T any](read func(any) T) func(any) []T {
	return func(v any) []T {
		if v == nil {
			return []T{}
		}
		values, ok := v.([]any)
		if !ok {
			panic(wrong("%v is no list", v))
		}
		list := make([]T, len(values))
		for i, value := range values {
			list[i] = read(value)
		}
		return list
	}
}

func readOption[T any](read func(any) T) func(any) *T {
	return func(v any) *T {
		if v == nil {
			return nil
		}
		value := read(v)
		return &value
	}
}

func readOptionList[T any](read func(any) []T) func(any) []T {
	return func(v any) []T {
		if v == nil {
			return nil
		}
		return read(v)
	}
}

// readEnum reads a case by its name; nothing is the first.
func readEnum[T ~uint8](v any, names ...string) T {
	if v == nil {
		return 0
	}
	index := slices.Index(names, readText(v))
	if index < 0 {
		panic(noCase(readText(v)))
	}
	return T(index)
}

// choice is the name of a case, and what it carries.
func choice(v any) (string, any) {
	switch value := v.(type) {
	case string:
		return value, nil
	case map[string]any:
		for name, carried := range value {
			if len(value) == 1 {
				return name, carried
			}
		}
	}
	panic(wrong("%v is no case", v))
}

func answered(value any) any { return map[string]any{"ok": value} }

func failedWith(message string, index int, names ...string) any {
	return map[string]any{"err": map[string]any{names[index]: message}}
}

func write[T any](v T) any { return v }

// writeBytes gives text, or numbers where they are none.
func writeBytes(content []byte) any {
	if utf8.Valid(content) {
		return string(content)
	}
	return writeList(func(b byte) any { return int(b) })(content)
}

func writeList[T any](write func(T) any) func([]T) any {
	return func(values []T) any {
		list := make([]any, len(values))
		for i, value := range values {
			list[i] = write(value)
		}
		return list
	}
}

func writeOption[T any](write func(T) any) func(*T) any {
	return func(value *T) any {
		if value == nil {
			return nil
		}
		return write(*value)
	}
}
