package openapitest

import "encoding/json"

// closed returns a description by which no object has fields beyond those it is described with, so that a test finds what nobody
// has described. An object without described fields stays open, and a field with the name unknown may be anywhere: tests send it
// to see that it is ignored.
func closed(description []byte) ([]byte, error) {
	var document map[string]any
	if err := json.Unmarshal(description, &document); err != nil {
		return nil, err
	}
	components, _ := document["components"].(map[string]any)
	schemas, _ := components["schemas"].(map[string]any)
	parts := partsOf(document, map[string]bool{})
	for name, schema := range schemas {
		if !parts["#/components/schemas/"+name] {
			closeIn(schema)
		}
	}
	closeIn(document["paths"])
	closeIn(components["responses"])
	return json.Marshal(document)
}

// partsOf collects the schemas of which allOf makes others.
func partsOf(node any, found map[string]bool) map[string]bool {
	switch node := node.(type) {
	case []any:
		for _, one := range node {
			partsOf(one, found)
		}
	case map[string]any:
		all, _ := node["allOf"].([]any)
		for _, part := range all {
			if part, ok := part.(map[string]any); ok {
				if ref, ok := part["$ref"].(string); ok {
					found[ref] = true
				}
			}
		}
		for _, one := range node {
			partsOf(one, found)
		}
	}
	return found
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
		isSchema := isMadeOf || hasFields && node["type"] == "object"
		for key, one := range node {
			switch key {
			case "allOf":
				closeBelow(one)
			case "example", "examples":
			default:
				closeIn(one)
			}
		}
		if isSchema && node["additionalProperties"] == nil {
			node["unevaluatedProperties"] = false
			node["patternProperties"] = map[string]any{"^unknown$": map[string]any{}}
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
