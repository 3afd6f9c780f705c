package value

import (
	"encoding/json"
	"fmt"
)

// A Value is text that may be secret: an environment variable, a header, a credential.
//
// A plugin never holds a secret. It passes the name on, and the host puts the value in at the edge, where the
// effect happens. The step needs the grant `secrets = ["<name>"]`.
type Value struct {
	// Text is the text itself, or the name of a secret in `[secrets]` of pipeline.toml.
	Text string
	// IsSecret says which of the two it is.
	IsSecret bool
}

// Plain is text that is no secret.
func Plain(text string) Value { return Value{Text: text} }

// Secret is the secret of this name.
func Secret(name string) Value { return Value{Text: name, IsSecret: true} }

// Named is a name with a value.
func Named(name string, value Value) NamedValue { return NamedValue{Name: name, Value: value} }

type secret struct {
	Secret string `json:"secret"`
}

// JSONSchema is for `with`. It is one schema rather than a choice of two: what is wrong with a table is then said of
// the table.
func (Value) JSONSchema() string {
	return `{
		"type": ["string", "object"],
		"properties": {
			"secret": {
				"type": "string",
				"minLength": 1,
				"description": "The name of a secret in ` + "`[secrets]`; `grants.secrets`" + ` has to list it."
			}
		},
		"required": ["secret"],
		"additionalProperties": false
	}`
}

// MarshalJSON writes it as `with` has it: text, or { "secret": "name" }.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.IsSecret {
		return json.Marshal(secret{v.Text})
	}
	return json.Marshal(v.Text)
}

// UnmarshalJSON reads it as `with` has it.
func (v *Value) UnmarshalJSON(text []byte) error {
	var plain string
	if json.Unmarshal(text, &plain) == nil {
		*v = Plain(plain)
		return nil
	}
	var named map[string]string
	if err := json.Unmarshal(text, &named); err != nil || len(named) != 1 || named["secret"] == "" {
		return fmt.Errorf("%s is neither text nor { secret = \"name\" }", text)
	}
	*v = Secret(named["secret"])
	return nil
}
