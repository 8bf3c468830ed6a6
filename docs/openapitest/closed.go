package openapitest

import (
	"encoding/json"
	"fmt"
)

// closed returns a description by which no object has fields beyond those it is described with, so that a test finds what nobody
// has described. An object without described fields stays open.
func closed(description []byte) ([]byte, error) {
	var document map[string]any
	if err := json.Unmarshal(description, &document); err != nil {
		return nil, err
	}
	components, _ := document["components"].(map[string]any)
	schemas, _ := components["schemas"].(map[string]any)
	parts, uses := make(map[string]int), make(map[string]int)
	references(document, parts, uses)
	for name, schema := range schemas {
		switch ref := "#/components/schemas/" + name; parts[ref] {
		case 0:
			closeIn(schema)
		case uses[ref]:
			closeBelow([]any{schema})
		default:
			return nil, fmt.Errorf("%s is a part of schemas and is used alone, where it would stay open", ref)
		}
	}
	closeIn(document["paths"])
	closeIn(components["responses"])
	return json.Marshal(document)
}

// references counts how often each schema is referred to, and how often of these as a part of which allOf makes another.
func references(node any, parts, uses map[string]int) {
	switch node := node.(type) {
	case []any:
		for _, one := range node {
			references(one, parts, uses)
		}
	case map[string]any:
		uses[refOf(node)]++
		all, _ := node["allOf"].([]any)
		for _, part := range all {
			parts[refOf(part)]++
		}
		for _, one := range node {
			references(one, parts, uses)
		}
	}
}

// refOf returns what a schema refers to; empty if it stands there itself.
func refOf(schema any) string {
	fields, _ := schema.(map[string]any)
	ref, _ := fields["$ref"].(string)
	return ref
}

// closeIn closes the schemas at and below a node.
func closeIn(node any) {
	switch node := node.(type) {
	case []any:
		for _, one := range node {
			closeIn(one)
		}
	case map[string]any:
		_, isMadeOf := node["allOf"].([]any)
		_, hasFields := node["properties"].(map[string]any)
		for key, one := range node {
			switch key {
			case "allOf":
				closeBelow(one)
			case "example", "examples":
			default:
				closeIn(one)
			}
		}
		if (isMadeOf || hasFields) && node["additionalProperties"] == nil {
			node["unevaluatedProperties"] = false
		}
	}
}

// closeBelow closes what is below the schemas of a list, but not those, of which allOf makes another.
func closeBelow(list any) {
	parts, _ := list.([]any)
	for _, part := range parts {
		if part, ok := part.(map[string]any); ok {
			closeIn(part["properties"])
		}
	}
}
