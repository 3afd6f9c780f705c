package windlass

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// HasSchema is a type that says itself what it accepts: as a JSON Schema, draft 2020-12.
type HasSchema interface{ JSONSchema() string }

type schema map[string]any

// A field of a struct as JSON has it.
type field struct {
	reflect.StructField
	name     string
	doc      string
	optional bool
}

// fieldsOf gives the fields that JSON sees, those of embedded structs among them.
func fieldsOf(of reflect.Type) []field {
	if of.Kind() != reflect.Struct {
		panic(fmt.Sprintf("%v is no struct: `with` and outputs have a field for each value", of))
	}
	var fields []field
	for _, found := range reflect.VisibleFields(of) {
		name, options, _ := strings.Cut(found.Tag.Get("json"), ",")
		if !found.IsExported() || found.Anonymous && name == "" || name == "-" && options == "" {
			continue
		}
		if name == "" {
			name = found.Name
		}
		optional := found.Type.Kind() == reflect.Pointer
		for _, option := range strings.Split(options, ",") {
			optional = optional || option == "omitempty" || option == "omitzero"
		}
		fields = append(fields, field{found, name, found.Tag.Get("doc"), optional})
	}
	return fields
}

var (
	isText = reflect.TypeFor[encoding.TextUnmarshaler]()
	isRaw  = reflect.TypeFor[json.RawMessage]()
)

// schemaOf gives the schema of a type, which stands within others.
func schemaOf(of reflect.Type, within ...reflect.Type) schema {
	if of.Kind() == reflect.Pointer {
		return schemaOf(of.Elem(), within...)
	}
	if says, ok := reflect.Zero(of).Interface().(HasSchema); ok {
		var own schema
		if err := json.Unmarshal([]byte(says.JSONSchema()), &own); err != nil {
			panic(fmt.Sprintf("the schema of %v: %v", of, err))
		}
		return own
	}
	if of == isRaw {
		return schema{}
	}
	if reflect.PointerTo(of).Implements(isText) {
		return schema{"type": "string"}
	}
	switch of.Kind() {
	case reflect.String:
		return schema{"type": "string"}
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return schema{"type": "number"}
	case reflect.Int, reflect.Int64:
		return schema{"type": "integer"}
	case reflect.Int8, reflect.Int16, reflect.Int32:
		half := int64(1) << (of.Bits() - 1)
		return schema{"type": "integer", "minimum": -half, "maximum": half - 1}
	case reflect.Uint, reflect.Uint64:
		return schema{"type": "integer", "minimum": 0}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return schema{"type": "integer", "minimum": 0, "maximum": int64(1)<<of.Bits() - 1}
	case reflect.Slice, reflect.Array:
		return schema{"type": "array", "items": schemaOf(of.Elem(), within...)}
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": schemaOf(of.Elem(), within...)}
	case reflect.Interface:
		return schema{}
	case reflect.Struct:
		return structure(of, within)
	default:
		panic(fmt.Sprintf("%v has no form in JSON", of))
	}
}

func structure(of reflect.Type, within []reflect.Type) schema {
	for _, outer := range within {
		if outer == of {
			panic(fmt.Sprintf("%v contains itself: give it a method JSONSchema", of))
		}
	}
	within = append(within, of)
	properties, required := map[string]schema{}, []string{}
	for _, field := range fieldsOf(of) {
		property := schemaOf(field.Type, within...)
		if field.doc != "" {
			property["description"] = field.doc
		}
		if choices := field.Tag.Get("enum"); choices != "" {
			property["enum"] = strings.Split(choices, ",")
		}
		properties[field.name] = property
		if !field.optional {
			required = append(required, field.name)
		}
	}
	// A misspelt key is an error when the pipeline is checked.
	return schema{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}
