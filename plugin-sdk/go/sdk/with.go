package windlass

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"windlass/value"
)

// Ptr gives a pointer to a value: a field or a parameter that may be absent is one.
func Ptr[T any](value T) *T { return &value }

// Millis is a duration as the contract counts.
func Millis(duration time.Duration) uint64 { return uint64(max(duration.Milliseconds(), 0)) }

// A Value of `with` is text that may be secret: "text", or { secret = "name" }. The plugin never holds a secret:
// it passes the name on, and the host puts the secret in.
type Value = value.Value

// A Duration of `with` is written as "500ms", "90s", "5m", "2h", "1d", or several of them: "1m30s".
type Duration struct{ time.Duration }

// JSONSchema is for `with`.
func (Duration) JSONSchema() string {
	return `{
		"type": "string",
		"pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|min|h|d) *)+$",
		"examples": ["500ms", "90s", "5m"]
	}`
}

// UnmarshalText reads the written form.
func (d *Duration) UnmarshalText(text []byte) error {
	units := map[string]float64{"ms": 1, "s": 1e3, "m": 60e3, "min": 60e3, "h": 3600e3, "d": 86400e3}
	rest, millis := string(text), 0.0
	for rest != "" {
		number, after := numeral(rest)
		end := strings.IndexFunc(after, func(c rune) bool { return c < 'a' || c > 'z' })
		if end < 0 {
			end = len(after)
		}
		unit, known := units[after[:end]]
		if number == "" || !known {
			return fmt.Errorf("%q is no duration like \"90s\" or \"1m30s\"", text)
		}
		count, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return err
		}
		millis += count * unit
		rest = strings.TrimLeft(after[end:], " ")
	}
	if len(text) == 0 || millis > float64(math.MaxInt64/int64(time.Millisecond)) {
		return fmt.Errorf("%q is no duration like \"90s\" or \"1m30s\"", text)
	}
	d.Duration = time.Duration(math.Round(millis)) * time.Millisecond
	return nil
}

// Millis is it as the contract counts.
func (d Duration) Millis() uint64 { return Millis(d.Duration) }

// A Size of `with` is an amount of bytes, written as "256MiB", "1.5GiB", "500MB" or "4096B".
type Size uint64

// JSONSchema is for `with`.
func (Size) JSONSchema() string {
	return `{
		"type": "string",
		"pattern": "^[0-9]+(\\.[0-9]+)? *(B|[kK]B|[MGT]B|[KMGT]iB)$",
		"examples": ["256MiB", "2GiB"]
	}`
}

// UnmarshalText reads the written form.
func (s *Size) UnmarshalText(text []byte) error {
	units := map[string]float64{
		"B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
		"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	}
	number, after := numeral(string(text))
	unit, known := units[strings.TrimLeft(after, " ")]
	count, err := strconv.ParseFloat(number, 64)
	// Beyond this a float no longer holds every integer, and no machine has as much.
	if err != nil || !known || count*unit >= 1<<53 {
		return fmt.Errorf("%q is no size like \"256MiB\"", text)
	}
	*s = Size(math.Round(count * unit))
	return nil
}

// Strings of `with` are one string or a list of them: tag = "a", or tag = ["a", "b"].
type Strings []string

// JSONSchema is for `with`.
func (Strings) JSONSchema() string {
	return `{ "type": ["string", "array"], "items": { "type": "string" } }`
}

// UnmarshalJSON reads either form.
func (s *Strings) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		*s = make(Strings, 1)
		return json.Unmarshal(text, &(*s)[0])
	}
	return json.Unmarshal(text, (*[]string)(s))
}

func numeral(text string) (string, string) {
	end := strings.IndexFunc(text, func(c rune) bool { return c != '.' && (c < '0' || c > '9') })
	if end < 0 {
		end = len(text)
	}
	return text[:end], text[end:]
}
