// Package openapitest holds answers against the description of the REST API.
package openapitest

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"

	"github.com/yanlink/yanlink/docs"
)

var described = sync.OnceValues(func() (validator.Validator, []error) {
	document, err := libopenapi.NewDocument(docs.OpenAPI())
	if err != nil {
		return nil, []error{err}
	}
	v, errs := validator.NewValidator(document, config.WithFormatAssertions(), config.WithStrictMode(),
		// The strict mode does not see that additionalProperties declare what they allow.
		config.WithStrictIgnorePaths("$.body.dependencies.*"))
	return v, errs
})

// asking is held while the validator works: it writes to the description, for one, when it renders a schema.
var asking sync.Mutex

// Document fails the test where the description itself is not OpenAPI 3.1.
func Document(tb testing.TB) {
	tb.Helper()
	v, errs := described()
	if len(errs) > 0 {
		tb.Fatalf("docs/openapi.yaml: %v", errs)
	}
	asking.Lock()
	defer asking.Unlock()
	if ok, errs := v.ValidateDocument(); !ok {
		tb.Fatalf("docs/openapi.yaml: %v", errs)
	}
}

// Answer fails the test where an answer, whose body was read already, is not one that the description has: its route,
// status, media type, every field. path is below where the API is mounted. It may be called from any goroutine.
func Answer(tb testing.TB, method, path string, answer *http.Response, body []byte) {
	tb.Helper()
	v, errs := described()
	if len(errs) > 0 {
		tb.Fatalf("docs/openapi.yaml: %v", errs)
	}
	request, err := http.NewRequestWithContext(tb.Context(), method, "http://127.0.0.1"+path, http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	copied := *answer
	copied.Body = io.NopCloser(bytes.NewReader(body))
	asking.Lock()
	ok, problems := v.ValidateHttpResponse(request, &copied)
	asking.Unlock()
	if !ok {
		for _, e := range problems {
			tb.Errorf("docs/openapi.yaml has no such answer to %s %s: %s: %s %+v\n%s", method, path, answer.Status, e.Message, e.SchemaValidationErrors, body)
		}
	}
}
