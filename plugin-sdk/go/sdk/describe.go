package windlass

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"windlass/internal/step"
)

// describe says what a plugin is, from its types.
func describe[With, Outputs any](plugin Plugin[With, Outputs]) step.Description {
	with := schemaOf(reflect.TypeFor[With]())
	with["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	text, err := encode(with)
	if err != nil {
		panic(fmt.Sprintf("the schema of `with` cannot be written: %v", err))
	}
	description := step.Description{
		Name:          plugin.Name,
		Version:       plugin.Version,
		Documentation: plugin.Documentation,
		WithSchema:    text,
	}
	for _, use := range plugin.Uses {
		used := step.CapabilityUse{Name: string(use.Capability), Required: use.Required, Reason: use.Reason}
		description.Capabilities = append(description.Capabilities, used)
	}
	for _, field := range fieldsOf(reflect.TypeFor[Outputs]()) {
		output := step.OutputSpec{Name: field.name, Type: outputType(schemaOf(field.Type)), Documentation: field.doc}
		description.Outputs = append(description.Outputs, output)
	}
	return description
}

func outputType(schema schema) step.OutputType {
	switch schema["type"] {
	case "string":
		return step.OutputTypeString
	case "integer", "number":
		return step.OutputTypeNumber
	case "boolean":
		return step.OutputTypeBool
	case "array":
		return step.OutputTypeList
	default:
		return step.OutputTypeObject
	}
}

// outputs are the fields of a struct, without those that are absent.
func outputs(given any) ([]step.Output, error) {
	var outputs []step.Output
	value := reflect.ValueOf(given)
	for _, field := range fieldsOf(value.Type()) {
		found, err := value.FieldByIndexErr(field.Index)
		if err != nil || field.optional && found.IsZero() {
			continue
		}
		text, err := encode(found.Interface())
		if err != nil {
			return nil, fmt.Errorf("output `%s` cannot be written: %w", field.name, err)
		}
		outputs = append(outputs, step.Output{Name: field.name, Value: text})
	}
	return outputs, nil
}

// encode writes JSON. Nobody puts it into a web page, so `<` stays `<`.
func encode(value any) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	return string(bytes.TrimSpace(text.Bytes())), nil
}
