// Package docs holds the description of the REST API, for whoever serves or tests it.
package docs

import (
	_ "embed" // the description
	"encoding/json"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI returns the description of the REST API as JSON, in the form of OpenAPI 3.1. It is safe for concurrent use.
var OpenAPI = sync.OnceValue(func() []byte {
	var document map[string]any
	if err := yaml.Unmarshal(openAPI, &document); err != nil {
		panic("docs/openapi.yaml: " + err.Error()) // a test reads it
	}
	text, err := json.Marshal(document)
	if err != nil {
		panic("docs/openapi.yaml: " + err.Error())
	}
	return text
})
